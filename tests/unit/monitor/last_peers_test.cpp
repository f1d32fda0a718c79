#include "routevpn/monitor/last_peers.hpp"

#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "test_pki.hpp"

using namespace routevpn;
using routevpn::monitor::LastPeers;
using routevpn::test::TempDir;

namespace {

const IpAddress v4 = *IpAddress::parse("192.0.2.1");
const IpAddress v6 = *IpAddress::parse("2001:db8::1");

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the peer's address of each lane is read back, from a file for its owner alone") {
  const TempDir dir;
  const std::string file = dir.path() + "/rv0.peers";
  LastPeers first(dir.path(), "rv0", 3);
  CHECK_FALSE(first.of(0));
  CHECK(access(file.c_str(), F_OK) != 0);
  const mode_t before = umask(0);
  first.remember(2, v6);
  umask(before);
  CHECK(content(file) == "-\n-\n2001:db8::1\n");
  first.remember(0, v4);
  CHECK(content(file) == "192.0.2.1\n-\n2001:db8::1\n");
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);

  const LastPeers second(dir.path(), "rv0", 3);
  CHECK(second.of(0) == v4);
  CHECK_FALSE(second.of(1));
  CHECK(second.of(2) == v6);
  CHECK_FALSE(LastPeers(dir.path(), "rv1", 1).of(0));
  CHECK(LastPeers(dir.path(), "rv0", 1).of(0) == v4);
  CHECK_FALSE(LastPeers(dir.path(), "rv0", 4).of(3));
}

TEST_CASE("the file is written only when an address changes") {
  const TempDir dir;
  LastPeers peers(dir.path(), "rv0", 1);
  peers.remember(0, v4);
  REQUIRE(unlink((dir.path() + "/rv0.peers").c_str()) == 0);
  peers.remember(0, v4);
  CHECK(access((dir.path() + "/rv0.peers").c_str(), F_OK) != 0);
  peers.remember(0, v6);
  CHECK(content(dir.path() + "/rv0.peers") == "2001:db8::1\n");
}

TEST_CASE("a file with other content is ignored as a whole, and replaced by the next address") {
  const TempDir dir;
  const auto text = GENERATE(as<std::string>{}, "192.0.2.1\nnobody\n", "192.0.2.1 \n", "\n",
                             std::string("192.0.2.1\0\n", 11), std::string(2 << 20, '-'));
  const std::string file = dir.write("rv0.peers", text);
  LastPeers peers(dir.path(), "rv0", 2);
  CHECK_FALSE(peers.of(0));
  CHECK_FALSE(peers.of(1));
  peers.remember(1, v6);
  CHECK(content(file) == "-\n2001:db8::1\n");
}

TEST_CASE("a link without a writable directory goes on without the file") {
  LastPeers peers("/proc/no-such-directory", "rv0", 1);
  peers.remember(0, v4);
  CHECK(peers.of(0) == v4);
}
