// How the monitor sends to its worker, for its sources alone.
#pragma once

#include <csignal>

#include "routevpn/base/log.hpp"
#include "routevpn/monitor/monitor.hpp"

namespace routevpn::monitor {

// Never waits: a worker that does not read is replaced. A dead worker is told nothing.
template <typename T>
void Monitor::tell(const T& message, std::span<const int> descriptors) {
  if (state_ == dying || send_failed_) return;
  const auto result = worker_->channel().send(message, false, descriptors);
  if (result == channel::SendResult::ok) return;
  send_failed_ = true;
  // A closed pair has no line of its own: the worker may have ended, and its end is logged.
  if (result == channel::SendResult::full) {
    log_error("the worker does not read its messages and is killed");
  }
  worker_->kill(SIGKILL);
}

}  // namespace routevpn::monitor
