// The loop of the control thread and of the monitor: one epoll, callbacks by file descriptor.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class EventLoop {
 public:
  using Callback = std::function<void()>;

  EventLoop();  // throws SystemError

  // Calls back whenever fd is readable, or has an error or hang-up. A callback may watch and
  // unwatch descriptors, its own too.
  void watch(int fd, Callback callback);
  void unwatch(int fd);
  // Waits until a descriptor is readable or the timeout (none: unlimited) has passed, and calls
  // back. The time that the machine sleeps counts.
  void turn(std::optional<Duration> timeout);
  // For a callback: this turn calls back no other descriptor.
  void end_turn() { ends_turn_ = true; }

 private:
  Fd epoll_;
  Fd timer_;  // epoll's own timeout does not count while the machine sleeps
  std::unordered_map<int, std::shared_ptr<Callback>> callbacks_;
  bool ends_turn_ = false;
};

}  // namespace routevpn::host
