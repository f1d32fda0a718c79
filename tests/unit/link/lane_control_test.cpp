// A lane with real sockets. A socket pair plays the interface.

#include "routevpn/link/lane_control.hpp"

#include <array>
#include <atomic>

#include <sys/socket.h>

#include "routevpn/base/error.hpp"

#include "test_pki.hpp"
#include "unit/outside/private_network.hpp"

using namespace routevpn;
using outside::testing::ip;
using outside::testing::PrivateNetwork;

namespace {

std::array<Fd, 2> make_interface() {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw system_error("socketpair");
  }
  return {Fd(pair[0]), Fd(pair[1])};
}

}  // namespace

TEST_CASE("a lane whose thread has ended takes commands without end") {
  const PrivateNetwork network;
  test::TestCa ca;
  auto interface = make_interface();
  const auto route_probe = outside::RouteProbe::open(0);
  const std::atomic<unsigned> mtu{1400};
  options::LinkOptions options;
  options.listen.emplace();
  link::LaneControl lane(session::SessionSettings::of(options, 0, 1),
                         test::make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1"),
                         {outside::UdpSocket::open({ip("127.0.0.1"), 0}), std::nullopt,
                          inside::Tun::adopt(std::move(interface[1]), "rv0", false)},
                         route_probe, mtu, true, {});
  lane.start_threads([] {});
  lane.release();
  lane.start(read_clock());
  while (lane.next_report()) {
  }
  lane.halt();
  for (int i = 0; i < 1000; ++i) lane.accept_sources({});  // the ring has room for 64
  lane.halt();
  SUCCEED();
}
