// A topology file. One without faults is planned and rendered.
#include "routevpn/plan/topology.hpp"

#include "routevpn/plan/render.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  plan::Faults faults;
  auto topology = plan::parse_topology(input.text(), faults);
  if (!faults.empty()) return;
  const auto plan = plan::allocate(std::move(topology), {}, faults);
  if (faults.empty()) plan::render(plan);
}
