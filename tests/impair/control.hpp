// The control socket of a running `impair`: a command of words gets a text as answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::test {

class ControlSocket {
 public:
  // Replaces an existing socket of that path. Throws SystemError.
  explicit ControlSocket(const std::string& path);
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Answers one client with the result of `execute`, or with the error that it throws.
  void serve(const std::function<std::string(const std::vector<std::string>&)>& execute);

 private:
  Fd fd_;
};

// Returns the answer. Throws UsageError for an answer that is an error, SystemError without an
// answer.
std::string tell(const std::string& path, const std::vector<std::string>& words);

}  // namespace routevpn::test
