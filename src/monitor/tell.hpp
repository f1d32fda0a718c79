// How the monitor sends to its worker, for its sources alone.
#pragma once

#include <csignal>

#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

// Never waits: a worker that does not read is replaced. A dead worker is told nothing.
template <typename T>
void Monitor::tell(const T& message, std::span<const int> descriptors) {
  if (state_ == dying) return;
  if (worker_->channel().send(message, false, descriptors) != channel::SendResult::ok) {
    worker_->kill(SIGKILL);
  }
}

}  // namespace routevpn::monitor
