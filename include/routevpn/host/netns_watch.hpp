// Tells when somebody deletes a network namespace that a link uses. The kernel does not: a deleted
// namespace loses its name and lives on, interfaces and all, until the last process and socket in
// it are gone. So the name is looked at every second; to be told by inotify, a user may have 128
// processes on a usual system, and a gateway has more links.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class NetnsWatch {
 public:
  // Names and paths as Netns::open() takes them. Those that are empty or a pid have nothing that
  // could be deleted. Throws SystemError.
  explicit NetnsWatch(const std::vector<std::string>& names);
  ~NetnsWatch();
  NetnsWatch(const NetnsWatch&) = delete;
  NetnsWatch& operator=(const NetnsWatch&) = delete;

  static constexpr std::chrono::seconds look_interval{1};

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when deleted() must be called
  // One of the names that went since, or stand for another namespace now.
  std::optional<std::string> deleted();

 private:
  struct Watched;
  Fd fd_;
  std::vector<Watched> watched_;
};

}  // namespace routevpn::host
