#include "routevpn/doctor/doctor.hpp"

#include <array>

namespace routevpn::doctor {

namespace {

constexpr std::array<Check, 13> all_checks = {
    check_configuration, check_kernel,   check_clock,    check_certificates, check_namespaces,
    check_running,       check_peer,     check_firewall, check_takeovers,    check_forwarding,
    check_reverse_path,  check_path_mtu, check_bird,
};

}  // namespace

std::span<const Check> checks() {
  return all_checks;
}

Findings examine(const Gateway& gateway, const Machine& machine) {
  Findings findings;
  for (const Check check : all_checks) check(gateway, machine, findings);
  return findings;
}

}  // namespace routevpn::doctor
