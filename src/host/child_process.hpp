// A pipe whose two ends are owned, and closed on exec.
#pragma once

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

inline Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace routevpn::host
