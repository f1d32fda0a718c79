// Network namespaces, by their `ip netns` name, by path, or by the pid of a process in them.
#pragma once

#include <cstdint>
#include <string>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class Netns {
 public:
  static Netns current();  // of the calling thread; throws SystemError
  // The namespace that standard input is, or else current(). systemd gives that of the host by
  // StandardInput=file:/proc/1/ns/net to a unit with PrivateNetwork=yes. Throws SystemError.
  static Netns of_start();
  // Throws UsageError, which names `option`, if there is no such namespace.
  static Netns open(const std::string& name, const std::string& option);
  static std::string path_of(const std::string& name);
  [[nodiscard]] int fd() const { return fd_.get(); }
  void enter() const;  // the calling thread; throws SystemError
  [[nodiscard]] bool same_as(const Netns& other) const;
  // The same for as long as the namespace exists, in every process. 0: unknown.
  [[nodiscard]] std::uint64_t inode() const;

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// Keeps the calling thread in a namespace. If the destructor cannot return to the former namespace
// it ends the process, because nothing may run in the wrong one.
class NetnsScope {
 public:
  explicit NetnsScope(const Netns& where);  // throws SystemError
  ~NetnsScope();

 private:
  Netns back_;
  bool moved_;  // false: it already was there, which needs no capability
};

}  // namespace routevpn::host
