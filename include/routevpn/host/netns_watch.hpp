// Tells when somebody deletes a network namespace that a link uses. The kernel does not: a deleted
// namespace loses its name and lives on, interfaces and all, until the last process and socket in
// it are gone.
#pragma once

#include <map>
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

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when deleted() must be called
  std::optional<std::string> deleted();               // one of the names that went since

 private:
  struct Watched {
    int directory;  // inotify's number of it
    std::string file;
  };
  Fd fd_;
  std::map<std::string, Watched> watched_;  // by name
};

}  // namespace routevpn::host
