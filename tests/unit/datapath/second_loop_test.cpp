// Two lanes with two threads each, over UDP sockets of the loopback interface. Socket pairs play
// the queues of the interfaces. The test chooses the queue of a packet as the kernel does.

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/datapath/lane_loop.hpp"
#include "routevpn/inside/flow_hash.hpp"

#include "sparse_pair.hpp"
#include "unit/outside/private_network.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace std::chrono_literals;
using outside::testing::PrivateNetwork;

namespace {

constexpr std::size_t header_bytes = sizeof(inside::VirtioNetHeader);
const IpAddress loopback = *IpAddress::parse("127.0.0.1");

struct Queue {
  Queue() {
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) {
      throw system_error("socketpair");
    }
    test = Fd(pair[0]);
    lane = Fd(pair[1]);
    const int room = 16 << 20;
    for (const int fd : pair) setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  }
  Fd test;
  Fd lane;
};

inside::Tun tun(const Fd& fd) {
  return inside::Tun::adopt(Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)), "rv0", false);
}

Fd slots() {
  Fd memory(memfd_create("slots", MFD_CLOEXEC));
  if (!memory || ftruncate(memory.get(), inside::Steering::slots) != 0) {
    throw system_error("memfd");
  }
  return memory;
}

// One end of a link. Its interface has one way out, so the order of all packets can be seen.
class RunningEnd {
 public:
  explicit RunningEnd(const RunningEnd* initiator)
      : steering(inside::Steering(map_)),
        wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        ends_(make_ends(initiator)),
        loop_(mailbox, counters, ends_, mtu_, wakeup_.get()) {
    REQUIRE(loop_.has_second());
  }
  ~RunningEnd() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    if (second_.joinable()) second_.join();
  }
  RunningEnd(const RunningEnd&) = delete;
  RunningEnd& operator=(const RunningEnd&) = delete;

  [[nodiscard]] outside::Endpoint bulk() const { return {ends_.socket.local(), {}}; }
  void start() {
    thread_ = std::thread([this] { loop_.run(); });
    second_ = std::thread([this] { loop_.run_second(); });
  }
  void command(LaneCommand command) {
    LaneCommand* slot = nullptr;
    while ((slot = mailbox.commands.reserve()) == nullptr) std::this_thread::yield();
    *slot = std::move(command);
    mailbox.commands.publish();
    loop_.wake();
    while (mailbox.events.front() != nullptr) mailbox.events.release();
  }
  // Sends a packet of this flow, by the queue that the kernel would choose. True: the second.
  bool send(const test::Packet& packet) const {
    const auto slot = inside::Steering::slot_of(*inside::flow_hash(packet));
    const bool second = steering.is_sparse(slot);
    std::vector<std::uint8_t> whole(header_bytes);
    whole.insert(whole.end(), packet.begin(), packet.end());
    const auto& queue = second ? sparse_queue_ : queue_;
    REQUIRE(write(queue.test.get(), whole.data(), whole.size()) ==
            static_cast<ssize_t>(whole.size()));
    return second;
  }
  // The next packet from outside.
  [[nodiscard]] std::optional<test::Packet> receive() const {
    std::vector<std::uint8_t> whole(65536 + header_bytes);
    const auto got = read(queue_.test.get(), whole.data(), whole.size());
    if (got < static_cast<ssize_t>(header_bytes)) return std::nullopt;
    return test::Packet(whole.begin() + header_bytes, whole.begin() + got);
  }

  // The reasons for which packets were dropped.
  [[nodiscard]] std::string drops() const {
    std::string all;
    for (std::size_t i = 0; i < drop_count; ++i) {
      const auto reason = static_cast<Drop>(i);
      if (counters.drops.get(reason) != 0) all += std::string(name_of(reason)) + " ";
    }
    return all;
  }

 private:
  Fd map_ = slots();
  Queue queue_;
  Queue sparse_queue_;

 public:
  Mailbox mailbox;
  LaneCounters counters;
  inside::Steering steering;

 private:
  LaneEnds make_ends(const RunningEnd* initiator) const {
    outside::UdpOptions options{loopback, 0};
    auto socket = outside::UdpSocket::open(options);
    auto sparse = initiator == nullptr ? outside::UdpSocket::open(options)
                                       : outside::UdpSocket::open_beside(socket, options);
    // Writing to the second queue of an acceptor is writing to the interface.
    auto second = initiator == nullptr ? tun(sparse_queue_.lane) : tun(queue_.lane);
    if (initiator != nullptr) REQUIRE(sparse.connect_to(initiator->ends_.sparse->local()));
    return {std::move(socket), std::move(sparse), tun(queue_.lane),
            LaneEnds::SparseQueue{std::move(second), Fd(dup(map_.get()))}};
  }

  Fd wakeup_;
  LaneEnds ends_;
  std::atomic<unsigned> mtu_{1400};
  LaneLoop loop_;
  std::thread thread_;
  std::thread second_;
};

struct RunningPair {
  RunningPair() {
    const auto both = test::sparse_keys(1);
    install(a, both.initiator, b.bulk());
    install(b, both.acceptor, a.bulk());
    for (RunningEnd* const end : {&a, &b}) {
      end->command(LimitPayload{1400});
      end->start();
    }
    a.command(SendControl{});
    // Once the flow is found, packets can be steered. They are few enough to stay sparse.
    const auto end = std::chrono::steady_clock::now() + 10s;
    for (unsigned serial = 0; !is_steered(); ++serial) {
      if (serial % 10 == 0) a.command(ProbeSparseFlow{});
      a.send(test::udp_packet(static_cast<std::uint8_t>(serial)));
      std::this_thread::sleep_for(5ms);
      REQUIRE(std::chrono::steady_clock::now() < end);
    }
  }
  [[nodiscard]] bool is_steered() const {
    const auto hash = inside::flow_hash(test::udp_packet(0));
    return a.steering.is_sparse(inside::Steering::slot_of(*hash));
  }
  static void install(RunningEnd& end, const dtls::Established& keys,
                      const outside::Endpoint& peer) {
    end.command(
        InstallAssociation{std::make_unique<Association>(1, keys, record::CryptoBackend::openssl,
                                                         peer, RecordLimits{}),
                           true});
  }

  const PrivateNetwork network;
  RunningEnd a{nullptr};
  RunningEnd b{&a};
};

// The kernel reads the slot of a packet and puts it into a queue without a pause. So while packets
// are sent, no ordinary thread may interrupt this one.
class Uninterrupted {
 public:
  Uninterrupted() { become(SCHED_FIFO, 1); }
  ~Uninterrupted() { become(SCHED_OTHER, 0); }
  Uninterrupted(const Uninterrupted&) = delete;
  Uninterrupted& operator=(const Uninterrupted&) = delete;

 private:
  static void become(int policy, int priority) {
    sched_param wanted{};
    wanted.sched_priority = priority;
    if (pthread_setschedparam(pthread_self(), policy, &wanted) != 0) {
      WARN("no real-time priority: the order can break if the machine is busy");
    }
  }
};

// Numbered packets of one flow, whose order is checked.
class Flow {
 public:
  explicit Flow(std::uint16_t port) : port_(port) {}
  [[nodiscard]] test::Packet next() {
    auto packet = test::udp_packet(0, 1000);
    store_be16(&packet[20], port_);
    store_be32(&packet[28], sent_++);
    return packet;
  }
  void received(const test::Packet& packet) {
    const std::uint32_t number = load_be32(&packet[28]);
    if (number < next_) ++late;
    next_ = std::max(next_, number + 1);
    ++received_;
  }
  [[nodiscard]] bool is_complete() const { return received_ == sent_; }
  std::size_t late = 0;  // behind a packet that was sent later

 private:
  std::uint16_t port_;
  std::uint32_t sent_ = 0;
  std::uint32_t next_ = 0;  // one above the highest number received
  std::uint32_t received_ = 0;
};

}  // namespace

TEST_CASE("a flow that changes its class and its queue stays in order") {
  RunningPair link;
  std::map<std::uint16_t, Flow> flows;
  for (std::uint16_t port = 101; port <= 108; ++port) flows.emplace(port, port);
  const auto take = [&] {
    while (const auto packet = link.b.receive()) {
      const auto flow = flows.find(load_be16(&packet->at(20)));
      if (flow != flows.end()) flow->second.received(*packet);
    }
  };
  // A burst holds more than a sparse flow may send at once. In the pause the flows become sparse
  // again, because the peer answers an echo request.
  constexpr int bursts = 8;
  constexpr int packets_of_burst = 32;
  std::array<std::size_t, 2> by_queue{};
  for (int burst = 0; burst < bursts; ++burst) {
    for (int i = 0; i < packets_of_burst; ++i) {
      {
        const Uninterrupted kernel;
        for (auto& [port, flow] : flows) ++by_queue.at(link.a.send(flow.next()) ? 1 : 0);
      }
      take();
    }
    for (int i = 0; i < 30; ++i) {
      link.a.command(SendControl{{ControlMessage::Kind::echo_request, 7}});
      std::this_thread::sleep_for(10ms);
      take();
    }
  }
  const auto end = std::chrono::steady_clock::now() + 10s;
  const auto complete = [&] {
    return std::ranges::all_of(flows, [](const auto& each) { return each.second.is_complete(); });
  };
  while (!complete() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(1ms);
    take();
  }
  CHECK(complete());
  CHECK(link.a.drops() == "");
  CHECK(link.b.drops() == "");
  for (const auto& [port, flow] : flows) {
    INFO("flow " << port);
    CHECK(flow.late == 0);
  }
  CHECK(by_queue[0] > flows.size());
  CHECK(by_queue[1] > flows.size());
  const auto sparse = link.a.counters.tx_sparse.load();
  CHECK(sparse > by_queue[1]);
  CHECK(sparse < link.a.counters.tx_packets.load());
}
