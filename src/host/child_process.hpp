// Child processes: pipes to them, and the wait for their end.
#pragma once

#include <array>
#include <cerrno>

#include <fcntl.h>
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

inline void wait_for_exit(pid_t child) {
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace routevpn::host
