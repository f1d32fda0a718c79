// The worker process of a link.
#pragma once

#include <functional>

namespace routevpn::link {

// What a test runs in the confined worker in place of an intruder's code.
struct WorkerProbes {
  std::function<void()> lane;                // in each lane's thread, before it takes packets
  std::function<void(int monitor)> control;  // in the control thread, when the link comes up
};

// What main() does in a process that the monitor has executed as its worker: takes what the monitor
// hands over, gives up every right, and runs the link. Returns the exit status. Throws SystemError,
// also when the process has no monitor.
int run_worker(const WorkerProbes& probes = {});

}  // namespace routevpn::link
