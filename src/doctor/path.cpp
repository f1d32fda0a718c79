// The path between the gateways against the interface's MTU.

#include <algorithm>
#include <string>

#include "routevpn/base/address.hpp"
#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

constexpr unsigned least_ipv6_mtu = 1280;  // RFC 8200 section 5

// What a datagram carries beside the inside packet: IP, UDP, the record's header and tag, and the
// explicit nonce, which ChaCha20-Poly1305 does not have (RFC 7905).
std::uint64_t overhead(const Link& link) {
  const bool outside_v6 = text(link.status, "remote").starts_with("[");
  const bool explicit_nonce = text(link.status, "cipher").find("CHACHA20") == std::string::npos;
  return (outside_v6 ? 40U : 20U) + 8U + 13U + 16U + (explicit_nonce ? 8U : 0U);
}

// The worker gives the address, so only a valid address becomes part of a command.
std::string peer_of(const Link& link) {
  auto remote = text(link.status, "remote");
  remote.resize(std::min(remote.size(), remote.rfind(':')));
  if (remote.starts_with("[") && remote.ends_with("]"))
    remote = remote.substr(1, remote.size() - 2);
  const auto address = IpAddress::parse(remote);
  return address ? address->to_string() : "ADDRESS";
}

}  // namespace

void check_path_mtu(const Gateway& gateway, const Machine&, Findings& findings) {
  for (const auto& link : gateway.links) {
    const auto path = count(link.status, "path_mtu");
    const auto mtu = count(link.status, "mtu");
    if (path == 0 || mtu + overhead(link) <= path) continue;
    const std::string what = "a packet of " + std::to_string(mtu) + " bytes, the MTU of " +
                             link.options.ifname + ", does not fit into a datagram: the path to " +
                             "the peer carries " + std::to_string(path) + " bytes";
    const std::string why = "each full packet takes two datagrams, which is slower and loses more";
    const auto least = std::to_string(least_ipv6_mtu + overhead(link));
    const std::string mend =
        link.options.mtu ? "remove the line 'mtu =' from " + link.file +
                               ", then: systemctl restart routevpn@" + link.name
                         : "raise the MTU of the path to " + least +
                               " bytes or more; to find the router: tracepath -n " + peer_of(link);
    findings.push_back({"mtu", link.name, what, why, mend});
  }
}

}  // namespace routevpn::doctor
