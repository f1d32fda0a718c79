// Duties for the guardian's tests, and the rules of a namespace without a guardian.
#pragma once

#include <string>

#include "routevpn/host/guardian.hpp"

#include "namespace_lab.hpp"

namespace routevpn::host {

inline const GuardianDuties nat_duties{.nat = true, .ipv4 = true, .ipv6 = true};
inline const GuardianDuties rule_duties{.fwmark = 7754, .table = 51, .ipv4 = true, .ipv6 = true};

inline Guardian start_guardian(const GuardianDuties& duties, const TestNetns& lab,
                               const std::string& ifname = "rv0") {
  Guardian guardian = Guardian::fork_early(duties, lab.open());
  guardian.begin(ifname);
  return guardian;
}

inline const std::string plain_rules_v4 =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";
inline const std::string plain_rules_v6 =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n";

template <typename Error>
std::string error_of(const GuardianDuties& duties, const TestNetns& lab,
                     const std::string& ifname = "rv0") {
  try {
    const Guardian guardian = start_guardian(duties, lab, ifname);
  } catch (const Error& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace routevpn::host
