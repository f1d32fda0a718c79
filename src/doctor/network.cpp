// Settings of the kernel that decide whether packets of a link are forwarded.

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

namespace {

// A link in the host's own namespace may serve the host alone, unless it has NAT or BIRD runs
// there.
bool forwards(const Gateway& gateway, const Machine& machine, const Link& link) {
  return !link.options.netns.empty() || link.options.nat ||
         machine.has(gateway.config_dir + "/bird/public.conf");
}

std::string mend_sysctl(const std::string& netns, const std::string& name,
                        const std::string& value) {
  return exec_in(netns) + "sysctl -w " + name + "=" + value;
}

}  // namespace

// The links of one namespace have one finding.
void check_namespaces(const Gateway& gateway, const Machine& machine, Findings& findings) {
  std::map<std::string, std::set<std::string>> users;  // of namespaces that do not exist
  for (const auto& link : gateway.links) {
    for (const auto& netns : {link.options.netns, link.options.public_netns}) {
      if (!netns.empty() && !machine.has_netns(netns)) users[netns].insert(link.name);
    }
  }
  for (const auto& [netns, links] : users) {
    std::string names;
    for (const auto& link : links) names.append(names.empty() ? "" : ", ").append(link);
    std::string file = gateway.config_dir;
    file.append("/netns/").append(netns).append(".conf");
    const bool is_name = netns.find('/') == std::string::npos;
    const bool has_unit = is_name && machine.has(file);
    findings.push_back(
        {"namespace", space_text(netns), "the namespace does not exist",
         "these links cannot start: " + names,
         has_unit  ? "systemctl start routevpn-netns@" + netns + ".service"
         : is_name ? "ip netns add " + netns
                   : "make the namespace, or correct netns and public-netns in the files of the "
                     "links"});
  }
}

void check_forwarding(const Gateway& gateway, const Machine& machine, Findings& findings) {
  std::map<std::string, std::pair<bool, bool>> spaces;  // with links that carry IPv4, IPv6
  for (const auto& link : gateway.links) {
    if (!forwards(gateway, machine, link)) continue;
    auto& [v4, v6] = spaces[link.options.netns];
    v4 = v4 || link.options.has_family(true);
    v6 = v6 || link.options.has_family(false);
  }
  const auto check = [&](const std::string& netns, const char* family, const char* path,
                         const char* name) {
    const auto value = machine.sysctl(netns, path);
    if (!value || *value != "0") return;
    findings.push_back(
        {"forwarding", space_text(netns), std::string("forwarding of ") + family + " is off",
         "the kernel drops packets between the site and the links", mend_sysctl(netns, name, "1")});
  };
  for (const auto& [netns, families] : spaces) {
    if (families.first) check(netns, "IPv4", "ipv4/ip_forward", "net.ipv4.ip_forward");
    if (families.second) {
      check(netns, "IPv6", "ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding");
    }
  }
}

void check_reverse_path(const Gateway& gateway, const Machine& machine, Findings& findings) {
  const auto strict = [&](const std::string& netns, const std::string& interface) {
    // The kernel uses the greater of the two values (ip-sysctl.rst). 1 is strict, 2 is loose.
    const auto all = machine.sysctl(netns, "ipv4/conf/all/rp_filter").value_or("0");
    const auto own = machine.sysctl(netns, "ipv4/conf/" + interface + "/rp_filter").value_or("0");
    return std::max(all, own) == "1";
  };
  std::map<std::string, unsigned> links;  // of a namespace
  for (const auto& link : gateway.links) ++links[link.options.netns];
  for (const auto& link : gateway.links) {
    const auto& netns = link.options.netns;
    if (links[netns] < 2 || !strict(netns, link.options.ifname)) continue;
    findings.push_back({"rp_filter", link.name,
                        "the reverse path filter of " + link.options.ifname + " in " +
                            space_text(netns) + " is strict",
                        "the kernel drops packets of a peer whose best route leads through another "
                        "link",
                        exec_in(netns) + "sysctl -w net.ipv4.conf.all.rp_filter=2"});
  }
  std::set<std::string> marked;
  for (const auto& link : gateway.links) {
    if (link.options.fwmark != 0) marked.insert(link.options.public_netns);
  }
  for (const auto& netns : marked) {
    const bool ignores_mark =
        machine.sysctl(netns, "ipv4/conf/all/src_valid_mark").value_or("1") == "0";
    if (machine.sysctl(netns, "ipv4/conf/all/rp_filter") != "1" || !ignores_mark) continue;
    findings.push_back({"rp_filter", space_text(netns),
                        "the reverse path filter is strict and ignores firewall marks",
                        "the kernel drops what comes from a peer to which --fwmark chooses the "
                        "route",
                        mend_sysctl(netns, "net.ipv4.conf.all.src_valid_mark", "1")});
  }
}

}  // namespace routevpn::doctor
