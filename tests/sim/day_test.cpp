// Simulates days of a link with random faults, one day per seed. Faults: cuts in one or both
// directions, an impaired wire, processes killed and stopped, machines that sleep, forged and
// replayed datagrams. Invariants at every moment:
//
//   - No nonce is used twice under one key.
//   - No data is sealed with a key once a newer key was used.
//   - No packet is delivered twice, altered or invented (checked by World).
//   - An end that no datagram can reach has no carrier after dead-after.
//   - Two ends that can reach each other get their carriers within back_within, and keep them.
//
// ROUTEVPN_DAYS: number of seeds. ROUTEVPN_DAY_HOURS: simulated hours per seed.
// ROUTEVPN_FIRST_DAY: the first seed.

#include <cstdlib>
#include <string>

#include "routevpn/session/restart_hint.hpp"

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/record_watch.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t setting(const char* name, std::uint64_t default_value) {
  const char* const text = std::getenv(name);
  return text == nullptr ? default_value : std::stoull(text);
}

class Day {
 public:
  static constexpr Duration dead_after = 3500ms;
  // Datagrams that are in flight when the wire is cut arrive within this time.
  static constexpr Duration in_flight = Wire::delay + Wire::late;
  // Longest back-off (8 s and a quarter), after the time-out of a handshake begun before.
  static constexpr Duration back_within = 30s;

  explicit Day(std::uint64_t seed)
      : random_(seed),
        world_({seed, {random_below(2'000) + 1'000, 100'000}, 600s + random_below(3000) * 1s},
               identities().initiator, identities().acceptor) {
    world_.traffic_interval = 1s;
    world_.observer = [this](int from, ConstBytes datagram) {
      watches_[from].check(datagram, world_.violations);
      last_sent_[from] = {datagram.begin(), datagram.end()};
      if (random_below(20) == 0) replay_[from] = last_sent_[from];
    };
    next_fault_ = world_.now + 10s;
    last_reachable_[0] = last_reachable_[1] = well_since_ = world_.now;
  }

  // Returns the first violation; empty: none.
  std::string run(Duration length) {
    const Time end = world_.now + length;
    while (world_.now < end && world_.violations.empty()) {
      const Time next = std::min({end, next_fault_, next_recovery()});
      world_.run_until([&] { return !check_invariants(); }, next - world_.now);
      end_faults();
      if (world_.now >= next_fault_) {
        begin_fault();
        next_fault_ = world_.now + 1s + random_below(300'000) * 1ms;
      }
      check_invariants();
    }
    if (world_.violations.empty()) return "";
    const auto hours = std::chrono::duration<double, std::ratio<3600>>(world_.now - begun_).count();
    return world_.violations.front() + " after " + std::to_string(hours) +
           " hours; last fault: " + last_fault_;
  }
  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  [[nodiscard]] Duration longest_return() const { return longest_return_; }

 private:
  enum class Fault : unsigned { cut, cut_one, impair, kill, crash, stop, sleep, forge, count_ };

  std::uint64_t random_below(std::uint64_t below) { return random_() % below; }
  Duration random_duration(Duration most) {  // the cube makes short times frequent
    const auto share = std::uniform_real_distribution<double>(0, 1)(random_);
    return 10ms + Duration(static_cast<Duration::rep>(share * share * share *
                                                      static_cast<double>(most.count())));
  }

  void begin_fault() {
    ++faults_;
    const int end = static_cast<int>(random_below(2));
    const auto fault = static_cast<Fault>(random_below(static_cast<unsigned>(Fault::count_)));
    const Time until = world_.now + random_duration(60s);
    last_fault_ = std::to_string(static_cast<unsigned>(fault)) + " at end " + std::to_string(end);
    switch (fault) {
      case Fault::cut:
        return cut(0, until), cut(1, until);
      case Fault::cut_one:
        return cut(end, until);
      case Fault::impair:
        impaired_until_ = until;
        world_.wire.impair(impairments());
        return;
      case Fault::stop:
        if (!world_.awake(end)) return;
        (end == 0 ? world_.initiator() : world_.acceptor()).stop();
        [[fallthrough]];
      case Fault::kill:
      case Fault::crash:
        if (!world_.alive(end)) return;
        if (fault == Fault::crash) {
          world_.crash(end);
        } else {
          world_.kill(end);
        }
        asleep_until_[end].reset();
        dead_until_[end] = until;
        return;
      case Fault::sleep:
        if (!world_.awake(end)) return;
        world_.sleep(end);
        asleep_until_[end] = world_.now + random_duration(600s);
        return;
      case Fault::forge:
      case Fault::count_:
        return forge(end);
    }
  }
  double probability() { return static_cast<double>(random_below(30)) / 100; }
  Impairments impairments() {
    Impairments all;
    for (double* const kind :
         {&all.drop, &all.duplicate, &all.reorder, &all.corrupt, &all.truncate}) {
      *kind = probability();
    }
    return all;
  }
  void cut(int end, Time until) {
    world_.cut(end);
    cut_until_[end] = until;
  }

  // Delivers up to 99 datagrams from the peer's address: overheard, altered, cut short, or hints.
  void forge(int to) {
    if (!world_.awake(to)) return;
    SimEnd& end = to == 0 ? world_.initiator() : world_.acceptor();
    const std::uint64_t count = random_below(100);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto datagram = random_below(2) == 0 ? last_sent_[1 - to] : replay_[1 - to];
      if (random_below(3) == 0)
        datagram.assign(session::restart_hint.begin(), session::restart_hint.end());
      if (datagram.empty()) continue;
      if (random_below(3) == 0)
        datagram[random_below(datagram.size())] ^= static_cast<std::uint8_t>(1 + random_below(255));
      if (random_below(10) == 0) datagram.resize(1 + random_below(datagram.size()));
      end.receive(std::move(datagram));
    }
    last_reachable_[to] = world_.now;  // a datagram that the wire lost is new here
  }

  static bool take_expired(std::optional<Time>& until, Time now) {
    const bool expired = until && now >= *until;
    if (expired) until.reset();
    return expired;
  }
  void end_faults() {
    for (const int end : {0, 1}) {
      if (take_expired(cut_until_[end], world_.now)) world_.cut(end, false);
      if (take_expired(dead_until_[end], world_.now)) world_.start(end);
      if (take_expired(asleep_until_[end], world_.now)) world_.wake(end);
    }
    if (take_expired(impaired_until_, world_.now)) world_.wire.impair({});
  }
  [[nodiscard]] Time next_recovery() const {
    Time first = impaired_until_.value_or(Time::max());
    for (const int end : {0, 1}) {
      for (const auto& until : {cut_until_[end], dead_until_[end], asleep_until_[end]}) {
        first = std::min(first, until.value_or(Time::max()));
      }
    }
    return first;
  }

  // False: an invariant is violated now.
  bool check_invariants() {
    const auto violation = [&](const std::string& what) { world_.violations.push_back(what); };
    bool well = !impaired_until_;
    for (const int end : {0, 1}) {
      const bool reachable = world_.awake(end) && world_.awake(1 - end) && !cut_until_[end];
      well = well && reachable;
      if (reachable || !world_.awake(end)) last_reachable_[end] = world_.now;
      if (world_.carrier(end) && world_.now - last_reachable_[end] > dead_after + in_flight) {
        violation("end " + std::to_string(end) + " receives nothing and has a carrier");
      }
    }
    if (!well) {
      well_since_ = world_.now;
      returned_ = false;
    } else if (world_.both_up()) {
      if (!returned_) longest_return_ = std::max(longest_return_, world_.now - well_since_);
      returned_ = true;
    } else if (returned_ && world_.now - well_since_ > back_within) {
      violation("a carrier was lost without a fault");
    } else if (world_.now - well_since_ > back_within) {
      violation("the link does not come back");
    }
    return world_.violations.empty();
  }

  std::mt19937_64 random_;
  RecordWatch watches_[2];
  std::vector<std::uint8_t> last_sent_[2];  // by this end
  std::vector<std::uint8_t> replay_[2];     // an older one
  World world_;
  Time begun_ = world_.now;
  Time next_fault_;
  std::optional<Time> cut_until_[2];
  std::optional<Time> dead_until_[2];
  std::optional<Time> asleep_until_[2];
  std::optional<Time> impaired_until_;
  Time last_reachable_[2];
  Time well_since_;  // no fault in wire or ends since
  bool returned_ = false;
  Duration longest_return_{};
  std::uint64_t faults_ = 0;
  std::string last_fault_;
};

}  // namespace

TEST_CASE("no invariant is violated in days of random faults, by seed") {
  const auto days = setting("ROUTEVPN_DAYS", 2);
  const auto hours = setting("ROUTEVPN_DAY_HOURS", 24);
  Duration longest{};
  std::uint64_t faults = 0;
  const auto first = setting("ROUTEVPN_FIRST_DAY", 1);
  for (std::uint64_t seed = first; seed < first + days; ++seed) {
    Day day(seed);
    const auto failure = day.run(hours * 1h);
    CAPTURE(seed);
    if (!failure.empty()) FAIL_CHECK(failure);
    longest = std::max(longest, day.longest_return());
    faults += day.faults();
  }
  CHECK(faults >= days * hours * 10);
  CHECK(longest > 0s);
  INFO("the longest return took " << std::chrono::duration<double>(longest).count() << " s");
  SUCCEED();
}
