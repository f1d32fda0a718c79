// The errors of set-up. The packet path does not throw.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>

namespace routevpn {

// Exit status of the process.
enum class Exit : int { stopped = 0, failed = 1, usage = 2 };

// Wrong options, configuration or credentials: exit status 2. The text is one line: file, line or
// option, the fault, and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A system call failed: exit status 1. The text is one line.
struct SystemError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "WHAT: No such file or directory", for errno or the given error number.
SystemError system_error(std::string_view what, int error_number = errno);

}  // namespace routevpn
