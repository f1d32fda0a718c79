#include "routevpn/base/files.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

class Directory {
 public:
  Directory() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::size_t files() const {
    const std::filesystem::directory_iterator all(path_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::string path_ = "/tmp/routevpn-files.XXXXXX";
};

template <typename Error, typename Call>
std::string text_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a replaced file has the new content and mode, and no temporary file stays") {
  const Directory directory;
  const auto path = directory / "file";
  CHECK_FALSE(exists(path));
  replace_file(path, "first", 0600, Sync::yes);
  CHECK(mode_of(path) == 0600);
  const std::string content(300'000, 'x');
  replace_file(path, content, 0640, Sync::no);
  CHECK(exists(path));
  CHECK(mode_of(path) == 0640);
  CHECK(read_file(path) == content);
  CHECK(directory.files() == 1);
}

TEST_CASE("a file that cannot be written leaves nothing behind") {
  const Directory directory;
  REQUIRE(mkdir((directory / "taken").c_str(), 0755) == 0);
  CHECK(text_of<SystemError>([&] { replace_file(directory / "taken", "x", 0644, Sync::no); }) ==
        "create " + directory / "taken" + ": Is a directory");
  CHECK(text_of<SystemError>([&] {
          write_temporary(directory / "no/file", "x", 0644, Sync::no);
        }) == "create " + directory / "no/file" + ": No such file or directory");
  CHECK(directory.files() == 1);
  const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  CHECK(text_of<SystemError>([&] { write_all(full, "x", "/dev/full"); }) ==
        "write /dev/full: No space left on device");
}

TEST_CASE("a file that cannot be read is named with the reason") {
  const Directory directory;
  const auto fault = [&](const std::string& path, std::size_t max_bytes) {
    return text_of<UsageError>([&] { read_file(path, Trust::any, max_bytes); });
  };
  CHECK(fault(directory / "none", 1) == directory / "none" + ": cannot be read: No such file or directory");
  CHECK(fault(directory / "", 1) == directory / "" + ": not a regular file");
  REQUIRE(mkfifo((directory / "pipe").c_str(), 0600) == 0);
  CHECK(fault(directory / "pipe", 1) == directory / "pipe" + ": not a regular file");
  const std::size_t mebibyte = 1024UL * 1024;
  replace_file(directory / "large", std::string(2 * mebibyte, 'x'), 0600, Sync::no);
  CHECK(fault(directory / "large", 2 * mebibyte) == "no error");
  CHECK(fault(directory / "large", 2 * mebibyte - 1) ==
        directory / "large" + ": larger than 1 MiB");
}

TEST_CASE("reading stops at the end of the file, or at the size asked for") {
  const Directory directory;
  replace_file(directory / "file", "content", 0600, Sync::no);
  const auto read = [&](std::size_t size) {
    const Fd file(open((directory / "file").c_str(), O_RDONLY | O_CLOEXEC));
    std::string content(size, '\0');
    REQUIRE(read_all(file, content));
    return content;
  };
  CHECK(read(3) == "con");
  CHECK(read(7) == "content");
  CHECK(read(100) == "content");
  std::string content(1, '\0');
  CHECK_FALSE(read_all(Fd(), content));
  CHECK(errno == EBADF);
}

TEST_CASE("new directories have their modes under every umask") {
  const auto mask = GENERATE(0000U, 0022U, 0777U);
  const Directory directory;
  const mode_t before = umask(mask);
  const bool open = make_directory(directory / "open", 0755);
  const bool secret = make_directory(directory / "secret", 0700);
  const bool nested = make_directories(directory / "a//b/c", 0700);
  umask(before);
  CHECK((open && secret && nested));
  CHECK(mode_of(directory / "open") == 0755);
  CHECK(mode_of(directory / "secret") == 0700);
  CHECK(mode_of(directory / "a") == 0755);
  CHECK(mode_of(directory / "a/b") == 0755);
  CHECK(mode_of(directory / "a/b/c") == 0700);
  CHECK_FALSE(make_directories(directory / "a/b/c/", 0755));
  CHECK(mode_of(directory / "a/b/c") == 0700);
  CHECK_FALSE(make_directory(directory / "open", 0700));
  CHECK(text_of<SystemError>([&] { make_directory(directory / "no/no", 0700); }) ==
        "create " + directory / "no/no" + ": No such file or directory");
  CHECK(text_of<UsageError>([&] { require_trusted_directory(directory / "open"); }) == "no error");
  CHECK(text_of<UsageError>([&] { require_trusted_directory(directory / "no"); }) ==
        directory / "no" + ": cannot be read: No such file or directory");
  REQUIRE(chmod((directory / "open").c_str(), 01777) == 0);
  CHECK_THAT(text_of<UsageError>([&] { require_trusted_directory(directory / "open"); }),
             ContainsSubstring(": mode is 1777; must be writable by its owner alone"));
}

TEST_CASE("files have their modes under every umask") {
  const auto mask = GENERATE(0000U, 0022U, 0777U);
  const Directory directory;
  const mode_t before = umask(mask);
  replace_file(directory / "secret", "x", 0600, Sync::no);
  replace_file(directory / "open", "x", 0644, Sync::no);
  umask(before);
  CHECK(mode_of(directory / "secret") == 0600);
  CHECK(mode_of(directory / "open") == 0644);
}

TEST_CASE("the directory of a path") {
  CHECK(directory_of("/etc/routevpn/x") == "/etc/routevpn/");
  CHECK(directory_of("/x") == "/");
  CHECK(directory_of("x") == ".");
}
