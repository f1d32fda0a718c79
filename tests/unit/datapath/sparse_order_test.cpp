// A change of class reorders no inner flow. Two lanes exchange numbered packets by two queues of
// random delays, and the receiver reads them as LaneLoop::outside_turn() does.
#include <algorithm>
#include <array>
#include <deque>
#include <random>

#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

class Crossing {
 public:
  explicit Crossing(std::uint64_t seed, double loss) : random_(seed), loss_(loss) {
    pair_.find_sparse();
  }

  // Until the flows have changed their class so often.
  void run(std::uint64_t changes) {
    while (changes_ < changes && now_ < epoch + 1h) step();
    ends_ = true;
    for (const Time end = now_ + 2s; now_ < end;) step();
  }

  std::uint64_t changes_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t reordered_ = 0;
  SparsePair pair_;

 private:
  static constexpr std::size_t serial_at = 28;
  static constexpr std::size_t flow_count = 24;

  struct Flow {
    double rate = 0;  // packets per ms
    double due = 0;   // packets
    std::size_t bytes = 100;
    Time until{};
    std::uint64_t next_serial = 1;
    std::uint64_t last_received = 0;
    std::optional<UdpFlow> last_class;
  };
  struct Arriving {
    Time at;
    Departure datagram;
  };
  struct Queue {
    std::deque<Arriving> waiting;
    Time last{};
  };
  // The bulk flow has a queue only for a time after a large datagram.
  struct Direction {
    Queue bulk, sparse;
    Time last_large{};
    Duration delay{};  // of both, at the moment
    Duration queue{};  // of the bulk flow besides
  };

  std::size_t pick(std::size_t from, std::size_t to) {
    return std::uniform_int_distribution<std::size_t>(from, to)(random_);
  }
  Duration pick_us(std::size_t from, std::size_t to) {
    return std::chrono::microseconds(pick(from, to));
  }
  bool chance(double share) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < share;
  }

  // No datagram of the bulk flow overtakes an earlier one of the sparse flow.
  void enter(Direction& direction, Departure&& datagram) {
    if (chance(0.02)) direction.delay = pick_us(100, 20'000);
    const bool large = datagram.datagram.size() >= 1000;
    if (large) direction.last_large = now_;
    if (large && chance(0.02)) direction.queue = pick_us(0, chance(0.3) ? 200'000 : 5'000);
    if (now_ - direction.last_large > 200ms) direction.queue = {};
    if (chance(loss_)) return;
    const bool sparse = datagram.flow == UdpFlow::sparse;
    Queue& queue = sparse ? direction.sparse : direction.bulk;
    Time at = std::max(queue.last, now_ + direction.delay);
    if (!sparse) at = std::max({at, now_ + direction.queue, direction.sparse.last});
    queue.last = at;
    queue.waiting.push_back({at, std::move(datagram)});
  }
  void send_control(End& end, Direction& direction) {
    for (auto& datagram : SparsePair::control(end)) enter(direction, std::move(datagram));
  }

  // As LaneLoop::gather(): 64 receives or 32 KiB. False: the socket is empty.
  static bool gather(Queue& queue, Time now, std::vector<Departure>& batch) {
    std::size_t bytes = 0;
    while (batch.size() < 64 && bytes < 32 * 1024) {
      if (queue.waiting.empty() || queue.waiting.front().at > now) return false;
      bytes += queue.waiting.front().datagram.datagram.size();
      batch.push_back(std::move(queue.waiting.front().datagram));
      queue.waiting.pop_front();
    }
    return true;
  }
  void receiver_turn() {
    bool bulk = true;
    bool sparse = true;
    while (bulk || sparse) {
      std::vector<Departure> late, early;
      bulk = gather(to_b_.bulk, now_, late);
      do {
        sparse = gather(to_b_.sparse, now_, early);
        for (const auto& each : early) take(each);
        early.clear();
      } while (sparse);
      for (const auto& each : late) take(each);
    }
    send_control(pair_.b, to_a_);
  }
  void take(const Departure& datagram) {
    for (const auto& packet : pair_.to_b(datagram)) {
      Flow& flow = flows_[packet[20]];
      const std::uint64_t serial = load_be64(&packet[serial_at]);
      reordered_ += serial <= flow.last_received ? 1U : 0U;
      flow.last_received = serial;
      changes_ += flow.last_class && flow.last_class != datagram.flow ? 1U : 0U;
      flow.last_class = datagram.flow;
      ++received_;
    }
  }
  void sender_turn() {
    for (Queue* const queue : {&to_a_.sparse, &to_a_.bulk}) {
      while (!queue->waiting.empty() && queue->waiting.front().at <= now_) {
        pair_.to_a(queue->waiting.front().datagram);
        queue->waiting.pop_front();
      }
    }
    send_control(pair_.a, to_b_);
  }

  // A flow is idle, slow or fast for some time.
  void change_rate(Flow& flow) {
    if (now_ < flow.until) return;
    const auto kind = pick(0, 9);
    const bool fast = kind >= 6;
    flow.rate = fast ? static_cast<double>(pick(2, 12)) : kind < 5 ? 0 : 0.03;
    flow.bytes = fast ? pick(1000, 1400) : pick(serial_at + 8, 200);
    flow.until = now_ + (fast ? pick_us(1'000, 8'000) : pick_us(100'000, 300'000));
  }
  void from_inside() {
    for (std::size_t i = 0; i < flow_count; ++i) {
      Flow& flow = flows_[i];
      change_rate(flow);
      for (flow.due += flow.rate; flow.due >= 1; --flow.due) {
        auto packet = udp_packet(1, flow.bytes);
        packet[20] = static_cast<std::uint8_t>(i);
        store_be64(&packet[serial_at], flow.next_serial++);
        pair_.a.lane.from_inside({}, packet, 1400, now_);
        ++sent_;
        if (!pair_.a.lane.must_flush()) continue;
        send_batch();
        if (blocked_until_) return;
      }
    }
    send_batch();
  }
  void send_batch() {
    auto batch = departures(pair_.a.lane.seal(now_));
    send_control(pair_.a, to_b_);
    blocked_ = std::move(batch);
    if (!blocked_.empty() && chance(0.05)) {
      blocked_until_ = now_ + pick_us(1'000, 30'000);
    } else {
      unblock();
    }
  }
  void unblock() {
    for (auto& each : blocked_) enter(to_b_, std::move(each));
    blocked_.clear();
    blocked_until_.reset();
    pair_.a.lane.sent();
  }
  void step() {
    now_ += 1ms;
    pair_.at(now_);
    if (chance(0.2)) receiver_turn();
    sender_turn();
    if (chance(0.01)) {
      pair_.a.command(SendControl{{ControlMessage::Kind::echo_request, 7}});
      send_control(pair_.a, to_b_);
    }
    if (blocked_until_ && now_ >= *blocked_until_) unblock();
    if (!blocked_until_ && !ends_) from_inside();
  }

  std::mt19937_64 random_;
  double loss_;
  bool ends_ = false;
  Time now_ = epoch;
  std::array<Flow, flow_count> flows_;
  Direction to_a_, to_b_;
  std::vector<Departure> blocked_;
  std::optional<Time> blocked_until_;
};

}  // namespace

TEST_CASE("ten thousand changes of class reorder no flow") {
  const auto seed = GENERATE(range(1, 4));
  const double loss = seed == 1 ? 0 : 0.01;
  CAPTURE(seed, loss);
  Crossing crossing(static_cast<std::uint64_t>(seed), loss);
  const std::uint64_t changes = seed == 1 ? 10'000 : 2'000;
  crossing.run(changes);
  CHECK(crossing.changes_ >= changes);
  CHECK(crossing.reordered_ == 0);
  if (seed == 1) CHECK(crossing.received_ == crossing.sent_);
  CHECK(crossing.received_ > crossing.sent_ * 95 / 100);
  CHECK(crossing.pair_.b.counters.drops.get(Drop::record_too_old) == 0);
  CHECK(reports_of(crossing.pair_.b).roams.empty());
}
