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

// Wrong options, configuration or credentials: exit status 2. The text is one line: file, line or
// option, the fault, and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Several UsageErrors. The text has all of them in one line, "; " between.
struct UsageErrors : UsageError {
  explicit UsageErrors(std::vector<std::string> all)
      : UsageError(joined(all)), lines(std::move(all)) {}
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
