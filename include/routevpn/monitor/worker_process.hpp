// The worker: this program, executed again. So its memory has nothing of the monitor's, above all
// no private key, and each worker has another layout of its addresses.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/channel/channel.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::monitor {

class WorkerProcess {
 public:
  // `program`: a descriptor of the executable. `link`: shown by ps. `where`: the worker's network
  // namespace; none: that of the calling thread. `uid`: the user that the worker takes. The kernel
  // kills the worker when the calling thread ends. Throws SystemError.
  WorkerProcess(const Fd& program, const std::string& link, const std::optional<host::Netns>& where,
                uid_t uid);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();  // kills the worker and waits for its end

  [[nodiscard]] const channel::Channel& channel() const { return channel_; }
  [[nodiscard]] int ended_fd() const { return pidfd_.get(); }  // readable once it has ended
  [[nodiscard]] Time started() const { return started_; }
  void kill(int signal) const;
  // Once it has ended: "signal 9 (Killed)", "status 1".
  std::string wait();

 private:
  pid_t pid_ = -1;
  uid_t uid_;
  Fd pidfd_;
  channel::Channel channel_;
  Time started_;
};

}  // namespace routevpn::monitor
