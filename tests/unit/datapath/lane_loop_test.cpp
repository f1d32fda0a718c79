// The loop with real UDP sockets. A socket pair plays the interface.

#include "routevpn/datapath/lane_loop.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <sys/eventfd.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

#include "unit/outside/private_network.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using outside::testing::ip;
using outside::testing::PrivateNetwork;

namespace {

// A lane's thread, without an association.
class RunningLane {
 public:
  RunningLane()
      : RunningLane([] {
          std::array<int, 2> pair{};
          if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) {
            throw system_error("socketpair");
          }
          return pair;
        }()) {}
  ~RunningLane() {
    loop_.stop();
    thread_.join();
  }
  RunningLane(const RunningLane&) = delete;
  RunningLane& operator=(const RunningLane&) = delete;

  [[nodiscard]] outside::Endpoint bulk() const {
    return {{loopback, ends_.socket.local().port}, {}};
  }
  [[nodiscard]] outside::Endpoint sparse() const {
    return {{loopback, ends_.sparse->local().port}, {}};
  }
  [[nodiscard]] std::uint64_t drops(Drop reason) const { return counters_.drops.get(reason); }
  // Whether so many are dropped within 10 s.
  [[nodiscard]] bool drops(Drop reason, std::uint64_t wanted) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (drops(reason) < wanted && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return drops(reason) >= wanted;
  }

  static inline const IpAddress loopback = ip("127.0.0.1");

 private:
  explicit RunningLane(std::array<int, 2> interface)
      : inside_(interface[0]),
        wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        ends_{outside::UdpSocket::open({loopback, 0}), outside::UdpSocket::open({loopback, 0}),
              inside::Tun::adopt(Fd(interface[1]), "rv0", false)},
        loop_(mailbox_, counters_, ends_, mtu_, wakeup_.get()),
        thread_([this] { loop_.run(); }) {}

  Fd inside_;
  Fd wakeup_;
  Mailbox mailbox_;
  LaneCounters counters_;
  LaneEnds ends_;
  std::atomic<unsigned> mtu_{1400};
  LaneLoop loop_;
  std::thread thread_;
};

// Sends datagrams of one byte as fast as it can.
class Flood {
 public:
  explicit Flood(const outside::Endpoint& to)
      : socket_(outside::UdpSocket::open({RunningLane::loopback, 0})), thread_([this, to] {
          const std::vector<std::uint8_t> run(64);
          std::size_t sent = 0;
          while (!stopping_) static_cast<void>(socket_.send(run, 1, to, sent));
        }) {}
  ~Flood() {
    stopping_ = true;
    thread_.join();
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

 private:
  outside::UdpSocket socket_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a flood of the second port does not hold back the first") {
  const PrivateNetwork network;
  const RunningLane lane;
  const Flood one(lane.sparse());
  const Flood two(lane.sparse());
  REQUIRE(lane.drops(Drop::record_truncated, 20'000));
  const auto sender = outside::UdpSocket::open({RunningLane::loopback, 0});
  std::vector<std::uint8_t> record(40);
  record::encode({record::ContentType::application_data, record::dtls_1_2, 1, 1, 27},
                 record.data());
  REQUIRE(sender.send_one(record, lane.bulk()) == outside::SendResult::ok);
  CHECK(lane.drops(Drop::record_no_keys, 1));
}
