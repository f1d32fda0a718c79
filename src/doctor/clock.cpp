// The wall clock, by which certificates and the envelopes of PSKs are valid.

#include "routevpn/doctor/doctor.hpp"

#include "link_facts.hpp"

namespace routevpn::doctor {

void check_clock(const Gateway&, const Machine& machine, Findings& findings) {
  if (machine.clock() != ClockState::unsynchronised) return;
  const bool chrony = machine.run("", {"chronyc", "-n", "tracking"}).has_value();
  findings.push_back({"clock", "clock", "the kernel's clock is not synchronised",
                      "with a wrong clock certificates are refused, and a peer with a PSK does not "
                      "answer when the clocks differ by more than 5 minutes",
                      chrony ? "systemctl restart chrony; then: chronyc tracking"
                             : "timedatectl set-ntp true; then: timedatectl timesync-status"});
}

}  // namespace routevpn::doctor
