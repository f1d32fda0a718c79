// --on-state CMD: /bin/sh runs it at each change of state, one at a time and in order.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/clock.hpp"

namespace routevpn::host {

class StateHook {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  // Throws UsageError unless only root and the running user can change the program that the command
  // begins with. Checks a word with a '/' alone: a shell keyword or a name in PATH is no path.
  static void require_trusted(const std::string& command);

  explicit StateHook(std::string command) : command_(std::move(command)) {}

  // Queues a run with these variables added to our environment. Does nothing without a command.
  void run(Environment environment);
  // Call at SIGCHLD: starts the next run if one has ended.
  void reap();
  // Before the process exits: starts the queued runs, each after the end of the one before it, for
  // at most this time. The last run may still be running then. Logs how many were not started.
  void finish(Duration at_most);

 private:
  // Bounds the queue while a hook hangs; the oldest states are dropped.
  static constexpr std::size_t max_queued = 16;

  void start_next();

  std::string command_;
  std::deque<Environment> queued_;
  pid_t running_ = -1;
};

}  // namespace routevpn::host
