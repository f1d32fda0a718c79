// How a running `impair` is told what to do: a message of words, answered by one of text.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::test {

class ControlSocket {
 public:
  // In the place of what is there. Throws SystemError.
  explicit ControlSocket(const std::string& path);
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Answers one caller with what `execute` returns, or with the error it throws.
  void serve(const std::function<std::string(const std::vector<std::string>&)>& execute);

 private:
  Fd fd_;
};

// The answer; throws UsageError with the one of an error, SystemError when there is none.
std::string tell(const std::string& path, const std::vector<std::string>& words);

}  // namespace routevpn::test
