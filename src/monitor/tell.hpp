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
  send_failed_ = !tell_process(*worker_, message, descriptors);
}

// False: it could not be sent, and the process is killed.
template <typename T>
bool Monitor::tell_process(const WorkerProcess& process, const T& message,
                           std::span<const int> descriptors) {
  const auto result = process.channel().send(message, false, descriptors);
  if (result == channel::SendResult::ok) return true;
  // A closed pair has no line of its own: the worker may have ended, and its end is logged.
  if (result == channel::SendResult::full) {
    log_error("the worker does not read its messages and is killed");
  }
  process.kill(SIGKILL);
  return false;
}

}  // namespace routevpn::monitor
