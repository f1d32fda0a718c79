// Duties for the guardian's tests, and the rules of a namespace without a guardian.
#pragma once

#include <string>

#include "routevpn/host/guardian.hpp"

#include "namespace_lab.hpp"

namespace routevpn::host {

inline const GuardianDuties nat_duties{.ifname = "rv0", .nat = true, .ipv4 = true, .ipv6 = true};
inline const GuardianDuties rule_duties{
    .ifname = "rv0", .fwmark = 7754, .table = 51, .ipv4 = true, .ipv6 = true};

inline const std::string plain_rules_v4 =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";
inline const std::string plain_rules_v6 =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n";

template <typename Error>
std::string error_of(const GuardianDuties& duties, const TestNetns& lab) {
  try {
    const Guardian guardian = Guardian::start(duties, lab.open());
  } catch (const Error& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace routevpn::host
