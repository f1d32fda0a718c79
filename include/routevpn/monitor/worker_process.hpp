// The worker: this program, executed again. So its memory has nothing of the monitor's, above all
// no private key, and each worker has another layout of its addresses.
#pragma once

#include <chrono>
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
  // The worker of a monitor before this one: `pidfd` is its ended_fd() there, `memory` its
  // memory().
  WorkerProcess(pid_t pid, uid_t uid, Fd pidfd, channel::Channel channel, Fd memory);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();  // kills the worker and waits for its end, unless release() came before

  [[nodiscard]] const channel::Channel& channel() const { return channel_; }
  [[nodiscard]] int ended_fd() const { return pidfd_.get(); }  // readable once it has ended
  [[nodiscard]] Time started() const { return started_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] uid_t uid() const { return uid_; }
  // For the state that the worker hands over (memfd, channel::state_bytes). This process never maps
  // it, because it has traffic keys.
  [[nodiscard]] const Fd& memory() const { return memory_; }
  void release() { pid_ = -1; }  // the worker goes on
  void kill(int signal) const;
  // Waits for its end, at most for this long.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time) const;
  // Once it has ended: "signal 9 (Killed)", "status 1". Only the parent learns how.
  std::string wait();

 private:
  pid_t pid_ = -1;
  uid_t uid_;
  Fd pidfd_;
  channel::Channel channel_;
  Fd memory_;
  Time started_;
  bool is_child_ = true;
};

}  // namespace routevpn::monitor
