#include "routevpn/host/netns.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

std::string error_of_opening(const std::string& name) {
  try {
    Netns::open(name, "--netns");
  } catch (const UsageError& error) {
    CHECK(error.status == Exit::failed);  // the namespace may be made later
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a namespace is found by the pid of a process in it") {
  CHECK(Netns::open(std::to_string(getpid()), "--netns").same_as(Netns::current()));
}

TEST_CASE("a namespace is found by a path") {
  CHECK(Netns::open("/proc/self/ns/net", "--netns").same_as(Netns::current()));
}

TEST_CASE("the error names what is not a namespace") {
  const std::string name =
      GENERATE("rvtest-none", "/rvtest/none", "/etc/passwd", "/", "4194305", "");
  CHECK(error_of_opening(name) == "--netns " + name +
                                      ": no such network namespace (a name of 'ip netns', a path, "
                                      "or a pid)");
}

TEST_CASE("the mount point of a deleted namespace is refused") {
  if (!can_make_namespaces()) return;
  const std::string name = "rvtest-" + std::to_string(getpid()) + "-file";
  const std::string path = "/run/netns/" + name;
  const TestNetns other;  // makes the folder when it is not there
  const Fd file(::open(path.c_str(), O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
  REQUIRE(file);
  CHECK_THAT(error_of_opening(name), ContainsSubstring("no such network namespace"));
  CHECK(unlink(path.c_str()) == 0);
}

TEST_CASE("a scope enters a namespace and returns") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const Netns home = Netns::current();
  const Netns there = lab.open();
  CHECK_FALSE(there.same_as(home));
  {
    const NetnsScope inside(there);
    CHECK(Netns::current().same_as(there));
    {
      const NetnsScope again(there);
      CHECK(Netns::current().same_as(there));
    }
    CHECK(Netns::current().same_as(there));
  }
  CHECK(Netns::current().same_as(home));
}
