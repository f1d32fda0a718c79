#include "routevpn/host/netns_watch.hpp"

#include <memory>
#include <optional>

#include <poll.h>

#include "catch.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

bool is_readable(const NetnsWatch& watch) {
  pollfd wanted{watch.fd(), POLLIN, 0};
  return poll(&wanted, 1, 0) == 1;
}

}  // namespace

TEST_CASE("the deletion of a watched namespace is reported, that of another is not") {
  if (!can_make_namespaces()) return;
  std::optional<TestNetns> watched;
  std::optional<TestNetns> other;
  watched.emplace();
  other.emplace();
  const std::string name = watched->name();
  const std::string given = GENERATE(false, true) ? "/run/netns/" + name : name;
  NetnsWatch watch({"", given, "1"});
  REQUIRE(soon([&] { return is_readable(watch); }));
  CHECK_FALSE(watch.deleted());
  CHECK_FALSE(is_readable(watch));
  other.reset();
  REQUIRE(soon([&] { return is_readable(watch); }));
  CHECK_FALSE(watch.deleted());
  const Netns still_open = watched->open();  // like the link's interface
  watched.reset();
  REQUIRE(soon([&] { return is_readable(watch); }));
  CHECK(watch.deleted() == given);
  CHECK_FALSE(watch.deleted());
}

TEST_CASE("there can be more watches than inotify instances per user") {
  std::vector<std::unique_ptr<NetnsWatch>> watches;
  for (int i = 0; i < 300; ++i) {
    watches.push_back(std::make_unique<NetnsWatch>(std::vector<std::string>{"x"}));
  }
  CHECK_FALSE(watches.back()->deleted());
}

TEST_CASE("without a name nothing is watched") {
  NetnsWatch watch({"", "1", "/proc/self/ns/net"});
  CHECK_FALSE(watch.deleted());
}
