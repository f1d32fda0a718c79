// Carries out the steps of a decision.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "routevpn/apply/machine.hpp"
#include "routevpn/apply/steps.hpp"

namespace routevpn::apply {

struct Carrying {
  const GatewayPlan& plan;
  const Decision& decision;
  std::string root;                   // without a final '/'
  std::chrono::milliseconds timeout;  // of each wait for a link; zero: no wait
  Machine& machine;
};

// Calls `done` after each object of a step, in order. Throws SystemError at the first fault: then
// the manifest has what was done.
void carry_out(const Carrying& carrying, const std::function<void()>& done);

// Writes the manifest if it is another one.
void save_manifest(const std::string& root, const Manifest& manifest);

}  // namespace routevpn::apply
