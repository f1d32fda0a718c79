// Detects that files were replaced or written. It compares what stat(2) reports of each file and of
// its directory once a second. So it follows every kind of replacement: by a rename, by a symbolic
// link anywhere in the path, by another directory. inotify would not do, see netns_watch.hpp.
#pragma once

#include <chrono>
#include <compare>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace routevpn::host {

class FileWatch {
 public:
  static constexpr std::chrono::seconds check_interval{1};

  // Relative paths start in the present working directory. Empty paths are skipped. A missing file
  // is watched, too.
  explicit FileWatch(std::vector<std::string> files);

  // Call it once in check_interval. True: files have changed since construction or since the last
  // true, and none has changed since the last call. So a set of files that is replaced one after
  // the other is taken together.
  bool changed();

 private:
  struct Identity {
    explicit Identity(const struct stat& status);
    auto operator<=>(const Identity&) const = default;

    dev_t device;
    ino_t inode;
    off_t size;
    time_t modified_s, changed_s;
    long modified_ns, changed_ns;  // the kernel's resolution is a tick, 1 to 10 ms
  };
  // Of a directory, whose times change with each file in it.
  struct Access {
    mode_t mode;
    uid_t owner;
    auto operator<=>(const Access&) const = default;
  };
  struct State {
    std::vector<std::optional<Identity>> files;  // none: it is missing
    std::vector<std::optional<Access>> directories;
    auto operator<=>(const State&) const = default;
  };
  [[nodiscard]] State state() const;

  std::vector<std::string> files_;
  std::set<std::string> directories_;  // of the files
  State reported_;
  State last_;
};

}  // namespace routevpn::host
