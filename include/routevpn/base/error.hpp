// The errors of set-up. The packet path does not throw.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace routevpn {

// Exit status of the process.
enum class Exit : int { stopped = 0, failed = 1, usage = 2 };

// Wrong options, configuration or credentials. The text is one line: file, line or option, the
// fault, and what is allowed. `status`: Exit::failed for a fault that ends without a change of the
// options, for example a certificate that is not yet valid, so that a restart may succeed.
struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& text, Exit exit_status = Exit::usage)
      : std::runtime_error(text), status(exit_status) {}
  Exit status;
};

// Several UsageErrors. The text has all of them in one line, "; " between. The status is
// Exit::failed only if all faults have that status.
struct UsageErrors : UsageError {
  explicit UsageErrors(std::vector<std::string> all, Exit exit_status = Exit::usage)
      : UsageError(joined(all), exit_status), lines(std::move(all)) {}
  std::vector<std::string> lines;  // at least one

 private:
  static std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text.append(text.empty() ? "" : "; ").append(line);
    return text;
  }
};

// A port or a name is taken. That may end soon, with the process that has it.
struct BusyError : UsageError {
  using UsageError::UsageError;
};

// A system call failed: exit status 1. The text is one line.
struct SystemError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// "WHAT: No such file or directory", for errno or the given error number.
inline SystemError system_error(std::string_view what, int error_number = errno) {
  return SystemError(std::string(what) + ": " + std::generic_category().message(error_number));
}

}  // namespace routevpn
