#include "routevpn/host/file_watch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "catch.hpp"

using routevpn::host::FileWatch;
namespace fs = std::filesystem;

namespace {

class WatchedDirectory {
 public:
  WatchedDirectory() { fs::create_directory(path_); }
  ~WatchedDirectory() { fs::remove_all(path_); }
  WatchedDirectory(const WatchedDirectory&) = delete;
  WatchedDirectory& operator=(const WatchedDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }

 private:
  std::string path_ = fs::temp_directory_path() / ("routevpn-watch-" + std::to_string(getpid()));
};

// A change is reported at the second call after it, once.
void check_reported(FileWatch& watch) {
  CHECK_FALSE(watch.changed());
  CHECK(watch.changed());
  CHECK_FALSE(watch.changed());
}

void check_quiet(FileWatch& watch) {
  for (int i = 0; i < 3; ++i) CHECK_FALSE(watch.changed());
}

// Of another length: a second write within one tick of the kernel's clock has the same time.
void append_to(const std::string& file) {
  std::ofstream(file, std::ios::app) << "more";
}

}  // namespace

TEST_CASE("a file that is written, replaced, made or removed has changed") {
  const WatchedDirectory dir;
  const auto file = dir.write("a.cert", "old");
  FileWatch watch({file, "", dir.path() + "/a.key"});
  check_quiet(watch);
  append_to(file);
  check_reported(watch);
  fs::rename(dir.write("a.cert.new", "new"), file);
  check_reported(watch);
  static_cast<void>(dir.write("a.key", "key"));
  check_reported(watch);
  fs::permissions(file, fs::perms{0640});
  check_reported(watch);
  fs::remove(file);
  check_reported(watch);
}

TEST_CASE("other files of the directory do not count, its mode does") {
  const WatchedDirectory dir;
  FileWatch watch({dir.write("a.cert", "old")});
  static_cast<void>(dir.write("b.cert", "other"));
  check_quiet(watch);
  fs::permissions(dir.path(), fs::perms{0700});
  check_reported(watch);
}

TEST_CASE("a change is reported once no more follow") {
  const WatchedDirectory dir;
  const auto certificate = dir.write("a.cert", "old");
  const auto key = dir.write("a.key", "old");
  FileWatch watch({certificate, key});
  append_to(certificate);
  CHECK_FALSE(watch.changed());
  append_to(key);
  check_reported(watch);
}

TEST_CASE("the file behind a symbolic link has changed when it is written") {
  const WatchedDirectory dir;
  const auto file = dir.write("a.cert", "old");
  fs::create_symlink("a.cert", dir.path() + "/link");
  FileWatch watch({dir.path() + "/link"});
  check_quiet(watch);
  append_to(file);
  check_reported(watch);
}

TEST_CASE("a symbolic link to another directory is followed") {
  const WatchedDirectory dir;
  fs::create_directory(dir.path() + "/1");
  fs::create_directory(dir.path() + "/2");
  static_cast<void>(dir.write("1/a.cert", "first"));
  static_cast<void>(dir.write("2/a.cert", "second"));
  const auto current = dir.path() + "/current";
  fs::create_directory_symlink("1", current);
  FileWatch watch({current + "/a.cert"});
  check_quiet(watch);
  fs::create_directory_symlink("2", dir.path() + "/next");
  fs::rename(dir.path() + "/next", current);
  check_reported(watch);
}
