#include "routevpn/pki/files.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "catch.hpp"
#include "scratch.hpp"

using namespace routevpn;
using namespace routevpn::pki;
using Existing = FileSet::Existing;

TEST_CASE("files that are staged but not committed are removed") {
  const Scratch scratch;
  {
    FileSet files;
    files.stage(scratch / "a.key", "secret", 0600, Existing::refuse);
    CHECK(scratch.files().size() == 1);  // the temporary one
    CHECK(scratch.files().count("a.key") == 0);
  }
  CHECK(scratch.files().empty());
}

TEST_CASE("committed files have their modes regardless of the umask") {
  const Scratch scratch;
  const mode_t before = umask(GENERATE(0000U, 0022U, 0777U));
  {
    FileSet files;
    files.stage(scratch / "a.key", "secret", 0600, Existing::refuse);
    files.stage(scratch / "a.cert", "open", 0644, Existing::refuse);
    files.commit();
  }
  umask(before);
  CHECK(scratch.files() == std::set<std::string>{"a.cert", "a.key"});
  CHECK(scratch.read("a.key") == "secret");
  CHECK(scratch.mode("a.key") == 0600);
  CHECK(scratch.mode("a.cert") == 0644);
}

TEST_CASE("an existing file is refused, or replaced on request") {
  const Scratch scratch;
  scratch.write("a", "old");
  FileSet files;
  CHECK(usage_error([&] { files.stage(scratch / "a", "new", 0600, Existing::refuse); }) ==
        (scratch / "a") + ": exists already");
  files.stage(scratch / "a", "new", 0600, Existing::replace);
  CHECK(scratch.read("a") == "old");
  files.commit();
  CHECK(scratch.read("a") == "new");
  std::filesystem::create_directory(scratch / "d");
  CHECK(usage_error([&] { files.stage(scratch / "d", "new", 0600, Existing::replace); }) ==
        (scratch / "d") + ": not a regular file");
}

TEST_CASE("a file that appeared meanwhile is kept, and the others of the set are removed") {
  const Scratch scratch;
  {
    FileSet files;
    files.stage(scratch / "a.key", "new", 0600, Existing::refuse);
    files.stage(scratch / "a.csr", "new", 0644, Existing::refuse);
    scratch.write("a.csr", "other");
    CHECK(usage_error([&] { files.commit(); }) == (scratch / "a.csr") + ": exists already");
  }
  CHECK(scratch.files() == std::set<std::string>{"a.csr"});
  CHECK(scratch.read("a.csr") == "other");
}

TEST_CASE("a missing directory is an error of --dir") {
  const Scratch scratch;
  CHECK(usage_error([&] { DirectoryLock lock(scratch / "none"); }) ==
        "--dir " + (scratch / "none") + ": No such file or directory");
}

TEST_CASE("the lock admits one command per directory") {
  const Scratch scratch;
  const Fd other(::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  {
    const DirectoryLock lock(scratch.path());
    CHECK(flock(other.get(), LOCK_EX | LOCK_NB) != 0);
  }
  CHECK(flock(other.get(), LOCK_EX | LOCK_NB) == 0);
}
