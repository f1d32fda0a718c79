// --on-state CMD: run by /bin/sh at each change, one at a time and in order.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace routevpn::host {

class StateHook {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  explicit StateHook(std::string command) : command_(std::move(command)) {}

  // Queues a run with these variables besides our own environment. Nothing happens without a
  // command.
  void run(Environment environment);
  // Call at SIGCHLD: starts the next when one has ended.
  void reap();

 private:
  // A hook that hangs must not make the queue grow for ever; the newest states matter.
  static constexpr std::size_t max_queued = 16;

  void start_next();

  std::string command_;
  std::deque<Environment> queued_;
  pid_t running_ = -1;
};

}  // namespace routevpn::host
