#include "check_machines.hpp"

#include <algorithm>
#include <map>

#include "values.hpp"

namespace routevpn::plan {

namespace {

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
      one_namespace(gateway);
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
    if (is_path(name)) return;
    if (name == public_name) {
      fault(gateway.line, "netns \"public\": is reserved for the public namespace");
    } else if (!is_unit_name(name)) {
      fault(gateway.line, "netns \"" + name +
                              "\": must be letters, digits, '.', '-' and '_', and begin with a "
                              "letter or digit, or be a path");
    }
  }

  void one_namespace(const Gateway& gateway) {
    for (const auto& interface : gateway.settings.lan) {
      const auto& others = gateway.settings.underlay;
      if (std::ranges::count(others, interface.name, &Interface::name) == 0) continue;
      fault(gateway.line, "interface " + interface.name + " of gateway " + gateway.name +
                              " is in lan and in underlay, but it can be in one namespace only");
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
