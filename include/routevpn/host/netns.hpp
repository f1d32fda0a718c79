// Network namespaces, by the name `ip netns` gave them, by path, or by the pid of a process in one.
#pragma once

#include <string>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class Netns {
 public:
  static Netns current();  // of the calling thread; throws SystemError
  // Throws UsageError when there is no such namespace, naming `option`.
  static Netns open(const std::string& name, const std::string& option);
  static std::string path_of(const std::string& name);
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool same_as(const Netns& other) const;

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// The calling thread is in the namespace for as long as this lives. It must be able to return:
// failing that it ends the process, for nothing may run on in the wrong namespace.
class NetnsScope {
 public:
  explicit NetnsScope(const Netns& where);  // throws SystemError
  ~NetnsScope();
  NetnsScope(const NetnsScope&) = delete;
  NetnsScope& operator=(const NetnsScope&) = delete;

 private:
  Netns back_;
  bool moved_;  // else it was there already, and needs no right to stay
};

}  // namespace routevpn::host
