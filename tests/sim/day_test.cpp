// Days of a link's life, by seed: cuts both ways and one way, bad wires, processes killed and
// stopped, machines that sleep, strangers who forge and replay. What must hold all the time:
//
//   - no nonce comes twice under its key, and no key is used again once a newer one was
//   - no packet arrives twice, altered or invented (World)
//   - an end that can hear nothing has no carrier after dead-after
//   - two ends that can hear each other have it after a while, and then keep it
//
// ROUTEVPN_DAYS, ROUTEVPN_DAY_HOURS: how many seeds, and how long each; ROUTEVPN_FIRST_DAY: the
// first seed.

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

std::uint64_t setting(const char* name, std::uint64_t usual) {
  const char* const wanted = std::getenv(name);
  return wanted == nullptr ? usual : std::stoull(wanted);
}

class Day {
 public:
  static constexpr Duration dead_after = 3500ms;
  // What was under way when the wire was cut may still arrive.
  static constexpr Duration under_way = Wire::delay + Wire::late;
  // The longest backoff, and a handshake begun on the bad wire that has to give up first.
  static constexpr Duration back_within = 30s;

  explicit Day(std::uint64_t seed)
      : random_(seed),
        world_({seed, {upto(2'000) + 1'000, 100'000}, 600s + upto(3000) * 1s},
               identities().initiator, identities().acceptor) {
    world_.traffic_interval = 1s;
    world_.observer = [this](int from, ConstBytes datagram) {
      watches_[from].see(datagram, world_.violations);
      overheard_[from] = {datagram.begin(), datagram.end()};
      if (upto(20) == 0) kept_[from] = overheard_[from];
    };
    next_fault_ = world_.now + 10s;
    hears_[0] = hears_[1] = well_since_ = world_.now;
  }

  // Empty when all was well.
  std::string play(Duration length) {
    const Time end = world_.now + length;
    while (world_.now < end && world_.violations.empty()) {
      const Time next = std::min({end, next_fault_, first_end()});
      world_.run_until([&] { return !hold(); }, next - world_.now);
      end_faults();
      if (world_.now >= next_fault_) {
        begin_fault();
        next_fault_ = world_.now + 1s + upto(300'000) * 1ms;
      }
      hold();
    }
    if (world_.violations.empty()) return "";
    const auto hours = std::chrono::duration<double, std::ratio<3600>>(world_.now - begun_).count();
    return world_.violations.front() + " after " + std::to_string(hours) + " hours; last: " + last_;
  }
  [[nodiscard]] std::uint64_t faults() const { return faults_; }
  [[nodiscard]] Duration longest_return() const { return longest_return_; }

 private:
  enum class Fault : unsigned { cut, cut_one, bad, kill, stop, sleep, forge, count_ };

  std::uint64_t upto(std::uint64_t below) { return random_() % below; }
  Duration some(Duration most) {  // short ones as often as long ones
    const auto share = std::uniform_real_distribution<double>(0, 1)(random_);
    return 10ms + Duration(static_cast<Duration::rep>(share * share * share *
                                                      static_cast<double>(most.count())));
  }

  void begin_fault() {
    ++faults_;
    const int end = static_cast<int>(upto(2));
    const auto fault = static_cast<Fault>(upto(static_cast<unsigned>(Fault::count_)));
    const Time until = world_.now + some(60s);
    last_ = std::to_string(static_cast<unsigned>(fault)) + " at end " + std::to_string(end);
    switch (fault) {
      case Fault::cut:
        return cut(0, until), cut(1, until);
      case Fault::cut_one:
        return cut(end, until);
      case Fault::bad:
        bad_until_ = until;
        world_.wire.impair(bad());
        return;
      case Fault::stop:
        if (!world_.awake(end)) return;
        (end == 0 ? world_.initiator() : world_.acceptor()).stop();
        [[fallthrough]];
      case Fault::kill:
        if (!world_.alive(end)) return;
        world_.kill(end);
        asleep_until_[end].reset();
        dead_until_[end] = until;
        return;
      case Fault::sleep:
        if (!world_.awake(end)) return;
        world_.sleep(end);
        asleep_until_[end] = world_.now + some(600s);
        return;
      case Fault::forge:
      case Fault::count_:
        return forge(end);
    }
  }
  double part() { return static_cast<double>(upto(30)) / 100; }
  Impairments bad() {
    Impairments all;
    for (double* const kind :
         {&all.drop, &all.duplicate, &all.reorder, &all.corrupt, &all.truncate}) {
      *kind = part();
    }
    return all;
  }
  void cut(int end, Time until) {
    world_.cut(end);
    cut_until_[end] = until;
  }

  // From the peer's address: what a stranger can make up or has overheard.
  void forge(int to) {
    if (!world_.awake(to)) return;
    SimEnd& end = to == 0 ? world_.initiator() : world_.acceptor();
    const std::uint64_t count = upto(100);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto datagram = upto(2) == 0 ? overheard_[1 - to] : kept_[1 - to];
      if (upto(3) == 0) datagram.assign(session::restart_hint.begin(), session::restart_hint.end());
      if (datagram.empty()) continue;
      if (upto(3) == 0) datagram[upto(datagram.size())] ^= static_cast<std::uint8_t>(1 + upto(255));
      if (upto(10) == 0) datagram.resize(1 + upto(datagram.size()));
      end.receive(std::move(datagram));
    }
    hears_[to] = world_.now;  // what the wire had swallowed may be news
  }

  static bool over(std::optional<Time>& until, Time now) {
    const bool is = until && now >= *until;
    if (is) until.reset();
    return is;
  }
  void end_faults() {
    for (const int end : {0, 1}) {
      if (over(cut_until_[end], world_.now)) world_.cut(end, false);
      if (over(dead_until_[end], world_.now)) world_.start(end);
      if (over(asleep_until_[end], world_.now)) world_.wake(end);
    }
    if (over(bad_until_, world_.now)) world_.wire.impair({});
  }
  [[nodiscard]] Time first_end() const {
    Time first = bad_until_.value_or(Time::max());
    for (const int end : {0, 1}) {
      for (const auto& until : {cut_until_[end], dead_until_[end], asleep_until_[end]}) {
        first = std::min(first, until.value_or(Time::max()));
      }
    }
    return first;
  }

  // Whether all holds at this moment.
  bool hold() {
    const auto wrong = [&](const std::string& what) { world_.violations.push_back(what); };
    bool well = !bad_until_;
    for (const int end : {0, 1}) {
      const bool could = world_.awake(end) && world_.awake(1 - end) && !cut_until_[end];
      well = well && could;
      if (could || !world_.awake(end)) hears_[end] = world_.now;
      if (world_.carrier(end) && world_.now - hears_[end] > dead_after + under_way) {
        wrong("end " + std::to_string(end) + " hears nothing and has a carrier");
      }
    }
    if (!well) {
      well_since_ = world_.now;
      returned_ = false;
    } else if (world_.both_up()) {
      if (!returned_) longest_return_ = std::max(longest_return_, world_.now - well_since_);
      returned_ = true;
    } else if (returned_ && world_.now - well_since_ > back_within) {
      wrong("a carrier was lost for nothing");
    } else if (world_.now - well_since_ > back_within) {
      wrong("the link does not come back");
    }
    return world_.violations.empty();
  }

  std::mt19937_64 random_;
  RecordWatch watches_[2];
  std::vector<std::uint8_t> overheard_[2];
  std::vector<std::uint8_t> kept_[2];
  World world_;
  Time begun_ = world_.now;
  Time next_fault_;
  std::optional<Time> cut_until_[2];
  std::optional<Time> dead_until_[2];
  std::optional<Time> asleep_until_[2];
  std::optional<Time> bad_until_;
  Time hears_[2];    // last
  Time well_since_;  // the wire and both ends
  bool returned_ = false;
  Duration longest_return_{};
  std::uint64_t faults_ = 0;
  std::string last_;
};

}  // namespace

TEST_CASE("days of random faults, by seed, and not one moment that must not be") {
  const auto days = setting("ROUTEVPN_DAYS", 2);
  const auto hours = setting("ROUTEVPN_DAY_HOURS", 24);
  Duration longest{};
  std::uint64_t faults = 0;
  const auto first = setting("ROUTEVPN_FIRST_DAY", 1);
  for (std::uint64_t seed = first; seed < first + days; ++seed) {
    Day day(seed);
    const auto failure = day.play(hours * 1h);
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
