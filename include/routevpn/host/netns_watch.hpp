// Detects the deletion of network namespaces that a link uses. A deleted namespace loses its name
// but exists, with its interfaces, until the last process and socket in it are gone. The kernel
// does not report that, so the names are checked every second. inotify would not do: by default a
// user may have 128 instances, and a gateway may have more links.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class NetnsWatch {
 public:
  // Names and paths as for Netns::open(). Empty names and pids are skipped: they cannot be deleted.
  // Throws SystemError.
  explicit NetnsWatch(const std::vector<std::string>& names);

  static constexpr std::chrono::seconds check_interval{1};

  [[nodiscard]] int fd() const { return fd_.get(); }  // readable when deleted() must be called
  // A name that was deleted since the last call, or that now names another namespace.
  std::optional<std::string> deleted();

 private:
  using FileId = std::pair<dev_t, ino_t>;
  struct Watched {
    std::string name;  // as configured
    std::string path;
    std::optional<FileId> id;
  };
  static std::optional<FileId> id_of(const std::string& path);

  Fd fd_;
  std::vector<Watched> watched_;
};

}  // namespace routevpn::host
