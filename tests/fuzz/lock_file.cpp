// The lock file of a plan. One without faults is written and read again.
#include "routevpn/plan/lock.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  plan::Faults faults;
  const auto lock = plan::parse_lock(input.text(), faults);
  if (!faults.empty()) return;
  const auto again = plan::parse_lock(plan::format_lock(lock), faults);
  require(faults.empty() && again == lock, "the written file is equal");
}
