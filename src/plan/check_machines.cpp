#include "check_machines.hpp"

#include <algorithm>
#include <map>

#include "routevpn/base/text.hpp"

#include "values.hpp"

namespace routevpn::plan {

namespace {

// A link's socket RUN-DIR/IFNAME.sock fits into sockaddr_un, which has 108 bytes with the final
// zero (unix(7)).
constexpr std::size_t longest_run_dir = 108 - (sizeof "/.sock" - 1) - max_interface_name_bytes - 1;

// '*' in the pattern stands for any characters.
bool matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  for (auto rest = name.substr(star);; rest.remove_prefix(1)) {
    if (matches(pattern.substr(star + 1), rest)) return true;
    if (rest.empty()) return false;
  }
}

class MachineChecker {
 public:
  MachineChecker(const Topology& topology, Faults& faults) : topology_(topology), faults_(faults) {
    for (const auto& gateway : topology.gateways) {
      for (const auto& address : gateway.addresses) seen_.emplace(address, gateway.line);
    }
  }

  void run() {
    for (const auto& site : topology_.sites) aggregates(site);
    for (const auto& gateway : topology_.gateways) {
      netns(gateway);
      public_netns(gateway);
      paths(gateway);
      one_namespace(gateway);
      one_network(gateway);
      links_in_lan(gateway);
      for (const auto& interface : gateway.settings.lan) {
        for (const auto& address : interface.addresses) lan_address(gateway, address);
      }
      for (const auto& interface : gateway.settings.underlay) {
        for (const auto& address : interface.addresses) underlay_address(address);
      }
    }
  }

 private:
  void fault(Line line, std::string text) { faults_.push_back({line, std::move(text)}); }

  // The name is part of unit names and file names. A path stands for a namespace that another
  // program makes.
  void netns(const Gateway& gateway) {
    const auto& name = gateway.settings.netns;
    if (name == public_name) {
      fault(gateway.line, "netns \"public\": is reserved for the public namespace");
    } else {
      namespace_name(gateway, "netns", name);
    }
  }

  void public_netns(const Gateway& gateway) {
    const auto& name = gateway.settings.public_netns;
    if (name.empty()) return;
    namespace_name(gateway, "public-netns", name);
    if (name != gateway.settings.netns) return;
    fault(gateway.line, "netns and public-netns of gateway " + gateway.name + " are both \"" +
                            name +
                            "\", but the inside and the outside of a link need two namespaces");
  }

  void namespace_name(const Gateway& gateway, const std::string& key, const std::string& name) {
    if (is_path(name) ? name.front() == '/' : is_unit_name(name)) return;
    fault(gateway.line, key + " \"" + name + "\": must be 1 to " +
                            std::to_string(longest_unit_name) +
                            " letters, digits, '.', '-' and '_', and begin with a letter or "
                            "digit, or be an absolute path");
  }

  // systemd starts the programs in the root directory, and BIRD's is another.
  void paths(const Gateway& gateway) {
    const auto& own = gateway.settings;
    const std::pair<const char*, const std::string&> all[] = {
        {"cert", own.cert},      {"key", own.key},         {"ca", own.ca},
        {"crl", own.crl},        {"psk-dir", own.psk_dir}, {"run-dir", own.run_dir},
        {"include", own.include}};
    std::map<std::string_view, const char*> files;
    for (const auto& [key, path] : all) {
      if (!path.empty() && path.front() != '/') {
        fault(gateway.line, std::string(key) + " \"" + path + "\": must be an absolute path");
      }
      const auto [at, is_new] = files.emplace(path, key);
      if (is_new || path.empty()) continue;
      fault(gateway.line, std::string(key) + " \"" + path + "\": is also " + at->second);
    }
    if (own.run_dir.size() <= longest_run_dir) return;
    fault(gateway.line, "run-dir \"" + own.run_dir + "\": must not be longer than " +
                            std::to_string(longest_run_dir) +
                            " characters, for the sockets of the links in it");
  }

  void one_namespace(const Gateway& gateway) {
    for (const auto& interface : gateway.settings.lan) {
      const auto& others = gateway.settings.underlay;
      if (interface.name.empty()) continue;  // the parser has reported it
      if (std::ranges::count(others, interface.name, &Interface::name) == 0) continue;
      fault(gateway.line, "interface " + interface.name + " of gateway " + gateway.name +
                              " is in lan and in underlay, but it can be in one namespace only");
    }
  }

  // Two interfaces in one network: the kernel sends all packets through one of them.
  void one_network(const Gateway& gateway) {
    for (const auto* const list : {&gateway.settings.lan, &gateway.settings.underlay}) {
      std::map<IpPrefix, std::pair<std::string, IpAddress>> networks;
      for (const auto& interface : *list) {
        for (const auto& address : interface.addresses) {
          const auto [at, is_new] = networks.emplace(
              address.value.network(), std::pair(interface.name, address.value.address));
          const auto& [first, first_address] = at->second;
          if (is_new || first == interface.name || first_address == address.value.address) continue;
          fault(address.line, "address " + address.value.to_string() + ": interface " + first +
                                  " already has an address of " + at->first.to_string());
        }
      }
    }
  }

  // OSPF would run over the links too. A name without a wildcard is compared in check.cpp.
  void links_in_lan(const Gateway& gateway) {
    for (const auto& interface : gateway.settings.lan) {
      if (interface.name.find('*') == std::string::npos) continue;
      const auto peer = std::ranges::find_if(topology_.gateways, [&](const Gateway& other) {
        return other.site != gateway.site && matches(interface.name, other.ifname);
      });
      if (peer == topology_.gateways.end()) continue;
      fault(gateway.line, "lan \"" + interface.name + "\" of gateway " + gateway.name +
                              " matches " + peer->ifname + ", the interface of the link to " +
                              peer->name);
    }
  }

  // BIRD announces an aggregate while a LAN interface has carrier. The planner must know which.
  // Without the key in the file, such a prefix is announced as with "exact".
  void aggregates(const Site& site) {
    if (site.announce.value != Announce::aggregate || site.announce.line == 0) return;
    for (const auto& prefix : site.prefixes) {
      const auto is_inside = [&](const Interface& interface) {
        return std::ranges::any_of(interface.addresses, [&](const auto& address) {
          return is_within(address.value, prefix.value);
        });
      };
      const bool any = std::ranges::any_of(site.gateways, [&](std::size_t gateway) {
        return std::ranges::any_of(topology_.gateways[gateway].settings.lan, is_inside);
      });
      if (any || is_default(prefix.value)) continue;
      fault(site.announce.line, "announce \"aggregate\": no gateway of site " + site.name +
                                    " has an address of " + prefix.value.to_string() +
                                    " in lan; add it, or set announce = \"more-specific\"");
    }
  }

  void once(const At<IpPrefix>& address) {
    const auto [at, is_new] = seen_.emplace(address.value.address, address.line);
    if (is_new) return;
    fault(address.line, "duplicate address " + address.value.address.to_string() +
                            ", first in line " + std::to_string(at->second));
  }

  static bool is_within(const IpPrefix& inner, const IpPrefix& outer) {
    return outer.length <= inner.length && outer.contains(inner.address);
  }

  void lan_address(const Gateway& gateway, const At<IpPrefix>& address) {
    once(address);
    const auto& site = topology_.sites[gateway.site];
    const bool own = std::ranges::any_of(site.prefixes, [&](const auto& prefix) {
      return !is_default(prefix.value) && is_within(address.value, prefix.value);
    });
    if (own) return;
    fault(address.line, "address " + address.value.to_string() +
                            ": the network is not inside a prefix of site " + site.name);
  }

  void underlay_address(const At<IpPrefix>& address) {
    once(address);
    for (const auto family : both_families) {
      const auto& pool = topology_.organisation.interconnect(family);
      if (!pool || !overlap(address.value, pool->value)) continue;
      fault(address.line, "address " + address.value.to_string() + " overlaps " +
                              pool->value.to_string() + ", interconnect pool (line " +
                              std::to_string(pool->line) + ")");
      return;
    }
    for (const auto& site : topology_.sites) {
      for (const auto& prefix : site.prefixes) {
        if (is_default(prefix.value) || !overlap(address.value, prefix.value)) continue;
        fault(address.line, "address " + address.value.to_string() + " overlaps " +
                                prefix.value.to_string() + ", prefix of site " + site.name +
                                ", but the underlay has public addresses");
        return;
      }
    }
  }

  const Topology& topology_;
  Faults& faults_;
  std::map<IpAddress, Line> seen_;
};

}  // namespace

void check_machines(const Topology& topology, Faults& faults) {
  MachineChecker(topology, faults).run();
}

}  // namespace routevpn::plan
