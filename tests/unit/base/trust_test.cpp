#include "routevpn/base/trust.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

struct stat status_of(uid_t owner, mode_t mode) {
  struct stat status {};
  status.st_uid = owner;
  status.st_mode = mode;
  return status;
}

std::string octal_mode(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode));
  return text.data();
}

class Place {
 public:
  Place() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~Place() { std::filesystem::remove_all(path_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string directory() const { return path_ + "/"; }

 private:
  std::string path_ = "/tmp/routevpn-trust.XXXXXX";
};

std::string fault_of_reading(const std::string& path, Trust trust) {
  try {
    read_file(path, trust);
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

// sudo's variable, which a shell of the developer may have.
class SudoCaller {
 public:
  explicit SudoCaller(const char* uid) {
    if (const char* before = std::getenv("SUDO_UID")) before_ = before;
    uid != nullptr ? setenv("SUDO_UID", uid, 1) : unsetenv("SUDO_UID");
  }
  ~SudoCaller() { before_.empty() ? unsetenv("SUDO_UID") : setenv("SUDO_UID", before_.c_str(), 1); }
  SudoCaller(const SudoCaller&) = delete;
  SudoCaller& operator=(const SudoCaller&) = delete;

 private:
  std::string before_;
};

constexpr uid_t stranger = 64999;  // an unused user in Debian's list of fixed numbers

}  // namespace

TEST_CASE("a file that others can write to is not trusted") {
  for (const mode_t mode : {0644U, 0600U, 0444U, 0755U}) {
    CHECK(fault_of_file(status_of(0, mode), "f", Trust::unaltered).empty());
  }
  for (const mode_t mode : {0664U, 0646U, 0666U, 01666U}) {
    CHECK(fault_of_file(status_of(0, mode), "f", Trust::unaltered) ==
          "f: mode is " + octal_mode(mode) +
              "; must be writable by its owner alone (chmod go-w f)");
  }
  CHECK(fault_of_file(status_of(stranger, 0666), "f", Trust::any).empty());
}

TEST_CASE("a secret is readable by its owner alone") {
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    CHECK(fault_of_file(status_of(0, mode), "k", Trust::secret).empty());
  }
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    CHECK(fault_of_file(status_of(0, mode), "k", Trust::secret) ==
          "k: mode is " + octal_mode(mode) + "; must be readable by its owner alone (chmod 600 k)");
  }
}

TEST_CASE("only root, the running user and the caller of sudo may own a trusted file") {
  const SudoCaller no_sudo(nullptr);
  const auto self = geteuid();
  for (const auto trust : {Trust::unaltered, Trust::secret}) {
    CHECK(fault_of_file(status_of(0, 0600), "f", trust).empty());
    CHECK(fault_of_file(status_of(self, 0600), "f", trust).empty());
    CHECK(fault_of_file(status_of(stranger, 0600), "f", trust) ==
          "f: owner is user 64999; must be root" +
              (self == 0 ? "" : " or user " + std::to_string(self)) + " (chown)");
  }
  const SudoCaller sudo("64999");
  CHECK(fault_of_file(status_of(stranger, 0600), "f", Trust::secret).empty() == (self == 0));
  CHECK(fault_of_file(status_of(stranger + 1, 0600), "f", Trust::secret) ==
        "f: owner is user 65000; must be root or user " +
            std::to_string(self == 0 ? stranger : self) + " (chown)");
}

TEST_CASE("a user other than root trusts root's files and its own") {
  if (geteuid() != 0) return;  // only root can become another user
  const SudoCaller sudo("64998");
  REQUIRE(seteuid(stranger) == 0);
  const auto own = fault_of_file(status_of(stranger, 0600), "f", Trust::secret);
  const auto roots = fault_of_file(status_of(0, 0600), "f", Trust::secret);
  const auto callers = fault_of_file(status_of(64998, 0600), "f", Trust::secret);
  REQUIRE(seteuid(0) == 0);
  CHECK(own.empty());
  CHECK(roots.empty());
  CHECK(callers == "f: owner is user 64998; must be root or user 64999 (chown)");
}

TEST_CASE("a directory that others can write to is trusted only as a sticky parent") {
  CHECK(fault_of_directory(status_of(0, 0755), "d").empty());
  CHECK(fault_of_parent(status_of(0, 01777), "d").empty());
  CHECK(fault_of_directory(status_of(0, 01777), "d") ==
        "d: mode is 1777; must be writable by its owner alone (chmod go-w d)");
  CHECK(fault_of_parent(status_of(0, 0775), "d") ==
        "d: mode is 0775; must be writable by its owner alone (chmod go-w d)");
  const SudoCaller no_sudo(nullptr);
  CHECK_THAT(fault_of_parent(status_of(stranger, 01777), "d"),
             ContainsSubstring("d: owner is user 64999; must be root"));
}

TEST_CASE("a trusted file is read, and the fault of another has its path") {
  const Place place;
  const auto path = place / "file";
  replace_file(path, "content", 0644, Sync::no);
  CHECK(read_file(path, Trust::unaltered) == "content");
  CHECK(fault_of_reading(path, Trust::secret) ==
        path + ": mode is 0644; must be readable by its owner alone (chmod 600 " + path + ")");
  replace_file(path, "content", 0664, Sync::no);
  CHECK(fault_of_reading(path, Trust::unaltered) ==
        path + ": mode is 0664; must be writable by its owner alone (chmod go-w " + path + ")");
  CHECK(read_file(path) == "content");
  CHECK(fault_of_reading(place / "none", Trust::unaltered) ==
        place / "none" + ": cannot be read: No such file or directory");
  CHECK(fault_of_reading(place.directory(), Trust::unaltered) ==
        place.directory() + ": not a regular file");
}

TEST_CASE("a trusted file stands in a trusted directory, also behind a symbolic link") {
  const Place place;
  REQUIRE(make_directory(place / "open", 0777));
  replace_file(place / "open/file", "content", 0644, Sync::no);
  std::filesystem::create_symlink("open/file", place / "link");
  const auto fault = "in " + place / "open/" +
                     ": mode is 0777; must be writable by its owner alone (chmod go-w " +
                     place / "open/" + ")";
  CHECK(fault_of_reading(place / "open/file", Trust::unaltered) == place / "open/file: " + fault);
  CHECK(fault_of_reading(place / "link", Trust::unaltered) == place / "link: " + fault);
  REQUIRE(chmod((place / "open").c_str(), 0755) == 0);
  CHECK(read_file(place / "link", Trust::unaltered) == "content");
}

TEST_CASE("a trusted program need not be readable") {
  const Place place;
  const auto path = place / "program";
  replace_file(path, "content", 0111, Sync::no);
  CHECK_NOTHROW(require_trusted_file(path));
  REQUIRE(chmod(path.c_str(), 0757) == 0);
  CHECK_THROWS_WITH(
      require_trusted_file(path),
      path + ": mode is 0757; must be writable by its owner alone (chmod go-w " + path + ")");
  CHECK_THROWS_WITH(require_trusted_file(place.directory()),
                    place.directory() + ": not a regular file");
}

TEST_CASE("a file of another user is not trusted") {
  const Place place;
  const auto path = place / "file";
  replace_file(path, "content", 0600, Sync::no);
  if (geteuid() != 0) return;  // only root can give a file away
  REQUIRE(chown(path.c_str(), stranger, stranger) == 0);
  const SudoCaller no_sudo(nullptr);
  CHECK(fault_of_reading(path, Trust::secret) ==
        path + ": owner is user 64999; must be root (chown)");
  CHECK(fault_of_reading(path, Trust::unaltered) ==
        path + ": owner is user 64999; must be root (chown)");
}
