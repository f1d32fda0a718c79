// --detection: a dead peer is detected in time, and a lossy path is no dead peer. The false alarms
// are counted with two probers and the keepalives of their lanes alone, because a million minutes
// of whole links take too long.

#include <deque>
#include <optional>
#include <random>
#include <string>

#include "routevpn/base/overloaded.hpp"
#include "routevpn/datapath/keepalives.hpp"
#include "routevpn/session/prober.hpp"

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

struct Speed {
  const char* name;
  options::Detection detection;
  Duration detected_within;  // without the round trips
  Duration survives;         // a loss of all packets for this time
};

constexpr Speed speeds[] = {
    {"fast", options::Detection::fast, 350ms, 200ms},
    {"normal", options::Detection::normal, 900ms, 500ms},
    {"patient", options::Detection::patient, 3500ms, 2000ms},
};

session::Detection detection_of(const Speed& speed) {
  options::LinkOptions options;
  options.detection = speed.detection;
  return session::Detection::of(options);
}

World::Settings settings_of(const Speed& speed) {
  World::Settings settings;
  settings.detection = detection_of(speed);
  return settings;
}

// The probers of both ends of a path that loses packets at random, or all of them in bursts.
class ProbedPath {
 public:
  ProbedPath(const session::Detection& detection, double loss, Duration outage, std::uint64_t seed)
      : detection_(detection),
        probers_{{detection, 25ms}, {detection, 25ms}},
        random_(seed),
        loss_(loss),
        outage_(outage) {
    for (auto& prober : probers_) prober.begin(now_);
  }

  // Returns the number of false alarms. After one both ends begin again.
  unsigned run(Duration duration) {
    const Time end = now_ + duration;
    unsigned alarms = 0;
    while (now_ < end) {
      now_ = next();
      while (!packets_.empty() && packets_.front().at <= now_) receive();
      for (const int side : {0, 1}) {
        auto& prober = probers_[side];
        const auto given_up = prober.gives_up_at(heard_[side]);
        if (given_up && *given_up <= now_) {
          ++alarms;
          for (auto& each : probers_) each.begin(now_);
        }
        const bool is_due = prober.due() <= now_ && !prober.is_answered_by(heard_[side], now_);
        const bool is_spared =
            is_due && side == acceptor && prober.is_spared_by(asked_, heard_[side], now_);
        if (is_due && !is_spared) ask(side);
        serve_lane(side);
      }
    }
    return alarms;
  }

 private:
  static constexpr int acceptor = 1;
  static constexpr Duration one_way = 5ms;
  static constexpr Duration between_outages = 2s;

  struct Packet {
    Time at;
    bool reply;
    std::uint32_t sequence;
    Time stamp;
    int to = 0;
  };

  Time next() const {
    Time first = packets_.empty() ? Time::max() : packets_.front().at;
    for (const int side : {0, 1}) {
      first = std::min({first, *probers_[side].due(), lanes_[side].due().value_or(first)});
      if (const auto given_up = probers_[side].gives_up_at(heard_[side])) {
        first = std::min(first, *given_up);
      }
    }
    return first;
  }

  // As Session::send_probe().
  void ask(int side) {
    auto& prober = probers_[side];
    datapath::SendEcho request{prober.send(now_)};
    if (side == acceptor) {
      request.asked_within = prober.asked_within();
    } else {
      request.more = prober.begin_series();
      request.interval = detection_.keepalive;
      request.patience = prober.answer_time();
    }
    lanes_[side].begin(request, now_);
    send(side, {now_, false, request.sequence, now_});
  }

  // As Lane::on_timer() and what Session does with its events.
  void serve_lane(int side) {
    const auto due = lanes_[side].due();
    if (!due || now_ < *due) return;
    std::visit(Overloaded{
                   [](std::monostate) {},
                   [&](std::uint32_t sequence) {
                     send(side, {now_, false, sequence, now_});
                   },
                   [&](const datapath::EchoMissing& echo) {
                     probers_[side].unanswered(echo.sequence, echo.sent, now_);
                   },
                   [&](const datapath::RequestMissing&) { probers_[side].request_missing(now_); },
               },
               lanes_[side].take(now_));
  }

  void send(int from, Packet packet) {
    const bool out = outage_ > 0s && now_.time_since_epoch() % between_outages < outage_;
    if (out || std::uniform_real_distribution<double>()(random_) < loss_) return;
    packet.at = now_ + one_way;  // so the queue stays sorted
    packet.to = 1 - from;
    packets_.push_back(packet);
  }

  void receive() {
    const Packet packet = packets_.front();
    packets_.pop_front();
    heard_[packet.to] = now_;
    if (packet.to == acceptor && !packet.reply) asked_ = now_;
    auto& lane = lanes_[packet.to];
    if (!packet.reply) lane.asked(now_);
    if (packet.reply) {
      std::optional<Time> sent;
      if (lane.answers(packet.sequence, packet.stamp)) sent = packet.stamp;
      probers_[packet.to].answered(packet.sequence, packet.sequence, now_ - packet.stamp, now_,
                                   sent);
    } else {
      send(packet.to, {now_, true, packet.sequence, packet.stamp});
    }
  }

  session::Detection detection_;
  session::Prober probers_[2];
  datapath::Keepalives lanes_[2];
  std::mt19937_64 random_;
  double loss_;
  Duration outage_;
  Time now_ = World::begin;
  Time heard_[2];
  Time asked_;  // the acceptor
  std::deque<Packet> packets_;
};

// Of the cut in the interval of a keepalive.
constexpr Duration phases[] = {0ms, 17ms, 60ms, 99ms, 249ms, 700ms};

void become_silent(World& world, Duration phase) {
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s + phase);
  world.wire.impair({.drop = 1});
}

}  // namespace

TEST_CASE("a silent path takes the carriers of both ends off within the time of --detection") {
  for (const Speed& speed : speeds) {
    for (const Duration phase : phases) {
      CAPTURE(speed.name, phase.count());
      World world(settings_of(speed), identities().initiator, identities().acceptor);
      become_silent(world, phase);
      const Time cut = world.now;
      REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 10s));
      CHECK(world.now - cut <= speed.detected_within + 2 * Wire::delay);
      world.wire.impair({});
      CHECK(world.run_until([&] { return world.both_up(); }, 15s));
      CHECK(world.violations.empty());
    }
  }
}

TEST_CASE("a path that becomes silent in its first second is detected as fast as later") {
  for (const Duration phase : {150ms, 400ms, 1000ms, 1001ms, 1150ms}) {
    CAPTURE(phase.count());
    World world(settings_of(speeds[0]), identities().initiator, identities().acceptor);
    REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
    world.run(phase);
    world.wire.impair({.drop = 1});
    const Time cut = world.now;
    REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 10s));
    CHECK(world.now - cut <= speeds[0].detected_within + 2 * Wire::delay);
  }
}

TEST_CASE("a short loss of all packets does not move the carrier") {
  for (const Speed& speed : speeds) {
    for (const Duration phase : phases) {
      CAPTURE(speed.name, phase.count());
      World world(settings_of(speed), identities().initiator, identities().acceptor);
      become_silent(world, phase);
      world.run(speed.survives);
      world.wire.impair({});
      world.run(2s);
      CHECK(world.initiator().carrier_changes == 1);
      CHECK(world.acceptor().carrier_changes == 1);
    }
  }
}

TEST_CASE("a path that carries data in one direction only is dead for the end that hears nothing") {
  for (const Speed& speed : speeds) {
    CAPTURE(speed.name);
    World world(settings_of(speed), identities().initiator, identities().acceptor);
    world.traffic_interval = 10ms;
    REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
    world.run(5s);
    world.cut(1);
    const Time cut = world.now;
    REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 10s));
    CHECK(world.now - cut <= speed.detected_within + 3 * Wire::delay);
  }
}

TEST_CASE(
    "on an idle link the acceptor leaves the requests to the initiator, but for one a second") {
  World world(settings_of(speeds[0]), identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  int datagrams[2] = {};
  world.observer = [&](int end, ConstBytes) { ++datagrams[end]; };
  world.run(10s);
  // The initiator: 100 requests and 10 replies; the acceptor: 10 and 100. Checks of the path MTU
  // are few.
  CHECK(datagrams[0] <= 115);
  CHECK(datagrams[1] <= 115);
  CHECK(datagrams[0] >= 105);
  CHECK(datagrams[1] >= 105);
}

TEST_CASE("the control threads of an idle link wake a few times per second") {
  World world(settings_of(speeds[0]), identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  const auto before = std::pair(world.initiator().wakes, world.acceptor().wakes);
  world.run(10s);
  CHECK(world.initiator().wakes - before.first <= 40);
  CHECK(world.acceptor().wakes - before.second <= 40);
}

TEST_CASE("an acceptor that is asked no more asks by itself at once") {
  World world(settings_of(speeds[0]), identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  world.sleep(0);
  int requests = 0;
  world.observer = [&](int end, ConstBytes) { requests += end == 1 ? 1 : 0; };
  world.run(150ms);
  CHECK(requests >= 3);  // of its burst
}

TEST_CASE("on a lossy path a false alarm occurs on fewer than one link in 1000 in 10 minutes") {
  const auto minutes = static_cast<long>(seeds(1000));
  for (const Speed& speed : speeds) {
    for (const double loss : {0.0, 0.01, 0.05, 0.2}) {
      for (const Duration outage : {0ms, 50ms, 200ms, 500ms}) {
        if (outage > speed.survives || (outage > 0s && loss > 0)) continue;
        ProbedPath path(detection_of(speed), loss, outage, 1);
        const unsigned alarms = path.run(minutes * 60s);
        INFO(speed.name << ", loss " << loss << ", outages of " << outage / 1ms << " ms in "
                        << minutes << " minutes: " << alarms << " false alarms");
        CHECK(alarms <= 1 + static_cast<double>(minutes) / 10 * 1e-3);
      }
    }
  }
}
