// Child processes and the pipes to them.
#pragma once

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

// Closed on exec. Throws SystemError.
inline Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

// A process that exits when this end of its pipe closes: a child, or a child of the process before
// this one.
class PipedChild {
 public:
  PipedChild(pid_t pid, Fd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
  // Of another process. `ended`: readable once it has exited.
  PipedChild(pid_t pid, Fd pipe, Fd ended)
      : pid_(pid), pipe_(std::move(pipe)), ended_(std::move(ended)) {}
  PipedChild(PipedChild&&) noexcept = default;
  // Closes the pipe and waits until the child has exited.
  ~PipedChild() {
    if (!pipe_) return;
    pipe_.reset();
    if (ended_) {
      pollfd exited{ended_.get(), POLLIN, 0};
      while (poll(&exited, 1, -1) < 0 && errno == EINTR) {
      }
      return;
    }
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  // The process goes on: another process has a copy of the pipe's end.
  void release() { pipe_.reset(); }
  [[nodiscard]] int pipe() const { return pipe_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
  Fd pipe_;
  Fd ended_;  // none: a child
};

}  // namespace routevpn::host
