#include "routevpn/inside/tun.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include <sys/utsname.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/inside/carrier.hpp"

#include "catch.hpp"
#include "link_monitor.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using routevpn::inside::Carrier;
using routevpn::inside::IoResult;
using routevpn::inside::Tun;

namespace {

// Before Linux 6.8 the kernel cannot be made to publish a carrier change at once.
bool kernel_publishes_on_request() {
  utsname names{};
  uname(&names);
  char* rest = nullptr;
  const long major = std::strtol(names.release, &rest, 10);
  const long minor = std::strtol(rest + 1, nullptr, 10);
  return major > 6 || (major == 6 && minor >= 8);
}

}  // namespace

TEST_CASE("invalid interface names are refused") {
  const std::string name = GENERATE("", "a/b", "a:b", "a b", "sixteen-letters-", "..", ".", "all",
                                    "default", "-n", "rv%d%d", "rv%s", "rv\"", "rv*");
  CHECK_THROWS_AS(Tun::create(name), UsageError);
}

TEST_CASE("an interface starts without carrier and is removed with its descriptor") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  {
    const Tun tun = Tun::create("rv.0");
    CHECK(tun.name() == "rv.0");
    CHECK_THAT(lab.ip("-d link show rv.0"), ContainsSubstring("tun type tun pi off vnet_hdr on"));
    CHECK_THAT(lab.ip("-d link show rv.0"), ContainsSubstring("persist off"));
    lab.must("ip link set rv.0 up");
    CHECK_THAT(lab.ip("link show rv.0"), ContainsSubstring("NO-CARRIER"));
  }
  CHECK_THAT(lab.ip("link show rv.0"), ContainsSubstring("does not exist"));
}

TEST_CASE("a shared interface has more queues, attached as wanted") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  std::optional<Tun> first(Tun::create("rv0", true));
  const Tun second = first->another_queue();
  CHECK(second.name() == "rv0");
  second.attach(true);
  first->attach(false);
  std::optional<Carrier> carrier(Carrier::of(*first));
  CHECK_NOTHROW(carrier->set(true));  // by a detached queue
  carrier.reset();
  first.reset();
  lab.must("ip link set rv0 up");
  CHECK_THAT(lab.ip("link show rv0"), ContainsSubstring("LOWER_UP"));
  CHECK_THROWS_AS(second.attach(true), SystemError);
  CHECK_THROWS_AS(Tun::create("alone").another_queue(), SystemError);
}

TEST_CASE("a pattern takes the next free number") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun first = Tun::create("rv%d");
  const Tun second = Tun::create("rv%d");
  CHECK(first.name() == "rv0");
  CHECK(second.name() == "rv1");
}

TEST_CASE("a name that is taken is refused, by whatever kind of interface") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  std::optional<Tun> ours;
  SECTION("another link") {
    ours.emplace(Tun::create("rv0"));
  }
  SECTION("a persistent TUN device without a process") {
    lab.must("ip tuntap add rv0 mode tun vnet_hdr");
  }
  SECTION("an interface of another kind") {
    lab.must("ip link add rv0 type veth peer name v0");
  }
  SECTION("an alternative name of another interface") {
    lab.must("ip link add v0 type veth peer name v1");
    lab.must("ip link property add dev v0 altname rv0");
  }
  const std::string before = lab.ip("-o link");
  try {
    Tun::create("rv0");
    FAIL("the name was given twice");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()) == "interface rv0: the name is taken");
  }
  CHECK(lab.ip("-o link") == before);
}

TEST_CASE("reading and writing never block") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  std::vector<std::uint8_t> buffer(70000);
  std::size_t length = 0;
  CHECK(tun.read(buffer, length) == IoResult::would_block);

  std::array<std::uint8_t, 10 + 20> packet{};
  packet[10] = 0x45;
  const std::array<iovec, 2> buffers{{{packet.data(), 10}, {packet.data() + 10, 20}}};
  CHECK(tun.write(buffers) == IoResult::failed);  // the interface is not up
  lab.must("ip link set rv0 up");
  CHECK(tun.write(buffers) == IoResult::ok);
}

TEST_CASE("packets sent into the interface are read with their virtio-net header") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  lab.must("sysctl -qw net.ipv6.conf.rv0.disable_ipv6=1");
  lab.must("ip address add 10.255.0.1/30 dev rv0");
  lab.must("ip link set rv0 up");
  Carrier::of(tun).set(true);
  lab.must("bash -c 'echo -n hello > /dev/udp/10.255.0.2/9'");
  std::vector<std::uint8_t> buffer(70000);
  std::size_t length = 0;
  REQUIRE(soon([&] { return tun.read(buffer, length) == IoResult::ok; }));
  REQUIRE(length == 10 + 20 + 8 + 5);
  CHECK(buffer[10] == 0x45);
  CHECK(std::string(buffer.begin() + 38, buffer.begin() + 43) == "hello");
}

TEST_CASE("several lost carriers are all announced at once") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  std::vector<Tun> tuns;
  std::vector<Carrier> carriers;
  for (int i = 0; i < 4; ++i) {
    tuns.push_back(Tun::create("rv%d"));
    lab.must("ip link set " + tuns.back().name() + " up");
    carriers.push_back(Carrier::of(tuns.back()));
    carriers.back().set(true);
  }
  LinkMonitor monitor;
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < tuns.size(); ++i) {
    carriers[i].set(false);
    CHECK(monitor.saw_carrier(tuns[i].name(), false));
  }
  const auto took = std::chrono::steady_clock::now() - began;
  if (kernel_publishes_on_request()) CHECK(took < std::chrono::milliseconds(900));
}

TEST_CASE("the carrier's owner keeps the interface, and another process adopts its queue") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  std::optional<Tun> tun(Tun::create("rv0"));
  const Carrier carrier = Carrier::of(*tun);
  lab.must("ip link set rv0 up");
  Fd queue(dup(tun->fd()));
  const bool udp_offload = tun->has_udp_offload();
  tun.reset();
  {
    const TestNetns elsewhere;
    const NetnsScope outside(elsewhere.open());
    carrier.set(true);
  }
  CHECK_THAT(lab.ip("link show rv0"), ContainsSubstring("LOWER_UP"));
  const Tun adopted = Tun::adopt(std::move(queue), "rv0", udp_offload);
  CHECK(adopted.name() == "rv0");
  CHECK(adopted.has_udp_offload() == udp_offload);
  std::array<std::uint8_t, 10 + 20> packet{};
  packet[10] = 0x45;
  const std::array<iovec, 2> buffers{{{packet.data(), 10}, {packet.data() + 10, 20}}};
  CHECK(adopted.write(buffers) == IoResult::ok);
  carrier.set(false);
  CHECK_THAT(lab.ip("link show rv0"), ContainsSubstring("NO-CARRIER"));
}

TEST_CASE("the carrier of a deleted interface is an error") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  const Carrier carrier = Carrier::of(tun);
  lab.must("ip link delete rv0");
  CHECK_THROWS_AS(carrier.set(true), SystemError);
}
