// What the kernel and the machine must have, and what makes links faster.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

constexpr auto tun_device = "/dev/net/tun";
constexpr std::array<unsigned, 2> first_with_tun_uso = {6, 2};  // TUN_F_USO4, TUN_F_USO6

bool is_earlier(const std::string& release, const std::array<unsigned, 2>& version) {
  std::array<unsigned, 2> own{};
  const char* const end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, own[0]);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return false;
  if (std::from_chars(major.ptr + 1, end, own[1]).ec != std::errc()) return false;
  return own < version;
}

void check_nftables(const Machine& machine, const Link& link, Findings& findings) {
  if (!link.options.nat && !link.options.accepts_routed()) return;
  const std::string why = "the link cannot start with --nat or with --accept routed";
  const auto tables = machine.run("", {"nft", "list", "tables"});
  if (!tables) {
    findings.push_back(
        {"kernel", link.name, "the program nft is not installed", why, "apt install nftables"});
  } else if (tables->status != 0) {
    findings.push_back(
        {"kernel", link.name, "the kernel has no nf_tables", why, "modprobe nf_tables"});
  }
}

}  // namespace

void check_kernel(const Gateway& gateway, const Machine& machine, Findings& findings) {
  if (!machine.has(tun_device)) {
    findings.push_back({"kernel", "kernel", std::string(tun_device) + " is missing",
                        "links cannot make their interfaces", "modprobe tun"});
  }
  for (const auto& link : gateway.links) {
    check_nftables(machine, link, findings);
    if (member(link.status, "udp_segment") != false) continue;
    findings.push_back({"kernel", link.name, "the kernel or the interface refused UDP_SEGMENT",
                        "each packet is sent alone, which is slower",
                        "ethtool -K INTERFACE tx-udp-segmentation on tx-checksumming on, then: "
                        "systemctl restart routevpn@" +
                            link.name,
                        Severity::note});
  }
  const auto release = machine.kernel_release();
  if (gateway.links.empty() || !is_earlier(release, first_with_tun_uso)) return;
  findings.push_back({"kernel", "kernel", "Linux " + release + " has no UDP offload for TUN",
                      "UDP of the inside is slower than with Linux 6.2 or later",
                      "install a later kernel: apt install -t bookworm-backports "
                      "linux-image-amd64",
                      Severity::note});
}

}  // namespace routevpn::doctor
