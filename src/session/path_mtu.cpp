#include "routevpn/session/path_mtu.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::session {

namespace {

// MTUs of common paths: tunnels and access lines on Ethernet, then larger links. They are tried in
// ascending order: a size that passes costs one round trip, one that fails three timeouts, and in
// this order only one or two fail.
constexpr std::array<unsigned, 18> common = {
    1280,  // IPv6's minimum (RFC 8200), and many tunnels
    1340, 1380, 1400,
    1420,        // WireGuard
    1430, 1440,  // IPsec
    1450,        // VXLAN over IPv4
    1460,        // Google Cloud
    1472,        // IPv6 in UDP in IPv4
    1476,        // GRE
    1480,        // IPv6 in IPv4
    1492,        // PPPoE
    1500,        // Ethernet
    4352,        // FDDI
    4470,        // packet over SONET
    9000, 9001,  // jumbo frames; AWS
};

constexpr double by_chance = 0.001;  // how often a size may fail by loss alone
constexpr unsigned most_probes = 10;

constexpr std::uint32_t stride = 4;  // sequence numbers per try; the last has no probe
constexpr std::uint32_t sequences = 1U << 31;

bool is_common(unsigned mtu) {
  return std::binary_search(common.begin(), common.end(), mtu);
}

// The smallest common MTU strictly between the two.
std::optional<unsigned> common_between(unsigned low, unsigned high) {
  const auto* const found = std::upper_bound(common.begin(), common.end(), low);
  return found != common.end() && *found < high ? std::optional(*found) : std::nullopt;
}

}  // namespace

void PathMtu::begin(Range range, unsigned guess, Time now) {
  range_ = {range.least, std::max(range.least, range.most)};
  largest_passed_ = range_.least;
  smallest_failed_ = range_.most + 1;
  found_ = std::clamp(guess, range_.least, range_.most);
  guess_ = found_;
  hint_.reset();
  tries_ = {};  // replies from the old path prove nothing
  icmp_ignored_until_.reset();
  raise_at_ = now + raise_interval;
  state_ = State::searching;
  next(now);
}

void PathMtu::begin_unprobed(Range range, unsigned guess, Time now) {
  begin(range, guess, now);
  largest_passed_ = found_;
  state_ = State::unprobed;
  due_.reset();
}

void PathMtu::end() {
  state_ = State::off;
  due_.reset();
}

void PathMtu::set_path(std::optional<Duration> round_trip, double loss) {
  round_trip_ = round_trip;
  loss_ = loss;
}

std::optional<Time> PathMtu::due() const {
  if (state_ == State::off) return std::nullopt;
  if (state_ == State::complete || state_ == State::unprobed) return raise_at_;
  return due_;
}

bool PathMtu::raise_due(Time now) const {
  return (state_ == State::complete || state_ == State::unprobed) && now >= raise_at_;
}

unsigned PathMtu::in_use() const {
  if (state_ != State::checking) return largest_passed_;
  // A size in question is not used: smaller datagrams cost less than lost ones.
  if (hint_) return std::min(largest_passed_, *hint_);
  return failed_tries_ > 0 ? fallback_ : largest_passed_;
}

void PathMtu::search_again(unsigned most, Time now) {
  if (state_ == State::off) return;
  raise_at_ = now + raise_interval;
  range_.most = std::max(range_.least, most);
  smallest_failed_ = range_.most + 1;
  if (state_ == State::unprobed) {
    largest_passed_ = found_ = range_.most;
  } else if (largest_passed_ > range_.most) {
    largest_passed_ = range_.least;
    next(now);
  } else if (state_ == State::complete) {
    next(now);
  }
}

void PathMtu::check(Time now) {
  if (state_ == State::complete) verify(now);
}

void PathMtu::verify(Time now) {
  if (largest_passed_ == range_.least) return;
  fallback_ = range_.least;
  ask(largest_passed_, State::checking, now);
}

void PathMtu::too_big(unsigned mtu, Time now) {
  if (state_ == State::off) return;
  const unsigned checked = state_ == State::searching ? asked_ : largest_passed_;
  if (mtu >= checked || (icmp_ignored_until_ && now < *icmp_ignored_until_)) return;
  if (state_ == State::unprobed) {
    largest_passed_ = found_ = std::max(mtu, range_.least);
    raise_at_ = now + raise_interval;
    return;
  }
  if (state_ == State::complete || (state_ == State::searching && mtu < largest_passed_))
    verify(now);
  // A size below the minimum tells only that the datagram was too big (RFC 8899 section 4.6.2).
  if (mtu < range_.least || (hint_ && mtu >= *hint_)) return;
  hint_ = mtu;
  due_ = now;
}

void PathMtu::refused(unsigned most, Time now) {
  if (state_ == State::off || most >= range_.most) return;
  search_again(most, now);
  if (state_ == State::searching && asked_ > range_.most) next(now);
}

bool PathMtu::answered(std::uint32_t sequence, Time now) {
  if (state_ == State::off || state_ == State::unprobed) return false;
  const Try& asked = tries_[sequence / stride % tries_.size()];
  const std::uint32_t which = sequence - asked.sequence;
  if (asked.mtu == 0 || which > 2 || (which == 2 && asked.hint == 0)) return false;
  // The request was sent before the ICMP message, perhaps over the old path.
  const bool outdated = hint_ && asked.mtu > *hint_ && (asked.hint == 0 || asked.hint > *hint_);
  if (which == 1) {
    if (asked.mtu == asked_) small_answered_ = true;
    silent_tries_ = 0;
  } else if (which == 2 || !outdated) {
    passed(which == 0 ? asked.mtu : asked.hint, now);
  }
  return true;
}

void PathMtu::passed(unsigned mtu, Time now) {
  if (state_ == State::checking) {
    if (mtu < largest_passed_) {
      fallback_ = std::max(fallback_, mtu);
      return;
    }
    if (hint_) icmp_ignored_until_ = now + icmp_ignore_time;
    hint_.reset();
  } else if (mtu <= largest_passed_) {
    return;
  }
  largest_passed_ = mtu;
  if (mtu >= smallest_failed_)
    smallest_failed_ = range_.most + 1;  // a late reply disproves the failure
  if (state_ != State::searching || asked_ <= largest_passed_) next(now);
}

void PathMtu::failed(Time now) {
  smallest_failed_ = asked_;
  if (state_ == State::checking) largest_passed_ = fallback_;
  next(now);
}

// Tries the next size, or ends the search.
void PathMtu::next(Time now) {
  // ICMP's size and the size that passed agree.
  if (hint_ == largest_passed_ && smallest_failed_ <= range_.most)
    smallest_failed_ = largest_passed_ + 1;
  if (smallest_failed_ - largest_passed_ <= 1) return complete(now);
  ask(candidate(), State::searching, now);
}

void PathMtu::complete(Time now) {
  if (state_ == State::searching) raise_at_ = now + raise_interval;
  state_ = State::complete;
  found_ = largest_passed_;
  hint_.reset();
  guess_.reset();
  due_.reset();
}

unsigned PathMtu::candidate() {
  const auto open = [this](const std::optional<unsigned>& mtu) {
    return mtu && *mtu > largest_passed_ && *mtu < smallest_failed_;
  };
  if (open(hint_)) return *hint_;
  if (open(guess_)) return *std::exchange(guess_, std::nullopt);
  if (smallest_failed_ > range_.most) return range_.most;
  // Most often nothing has changed, or the MTU is a common one: then one more byte fails.
  if (largest_passed_ == found_) return largest_passed_ + 1;
  if (const auto between = common_between(largest_passed_, smallest_failed_)) return *between;
  if (is_common(largest_passed_)) return largest_passed_ + 1;
  return largest_passed_ + (smallest_failed_ - largest_passed_) / 2;
}

void PathMtu::ask(unsigned mtu, State state, Time now) {
  state_ = state;
  asked_ = mtu;
  failed_tries_ = silent_tries_ = 0;
  try_ends_.reset();
  due_ = now;
}

std::span<const PathMtu::Probe> PathMtu::send(Time now) {
  if (!due_ || now < *due_) return {};
  if (try_ends_ && now >= *try_ends_) {
    ++(small_answered_ ? failed_tries_ : silent_tries_);
    if (failed_tries_ >= tries_to_fail()) {
      failed(now);
      if (!due_) return {};
    }
  }
  const std::uint32_t sequence = next_sequence_;
  next_sequence_ = (next_sequence_ + stride) % sequences;
  const unsigned hint = hint_ && *hint_ < asked_ ? *hint_ : 0;
  tries_[sequence / stride % tries_.size()] = {sequence, asked_, hint};
  small_answered_ = false;
  due_ = try_ends_ = now + timeout();
  probes_ = {{{sequence, asked_}, {sequence + 1, 0}, {sequence + 2, hint}}};
  return std::span(probes_).first(hint == 0 ? 2 : 3);
}

unsigned PathMtu::tries_to_fail() const {
  double chance = loss_ * loss_ * loss_;
  unsigned tries = max_probes;
  for (; chance > by_chance && tries < most_probes; ++tries) chance *= loss_;
  return hint_ ? tries - 1 : tries;
}

Duration PathMtu::timeout() const {
  const Duration normal_wait =
      round_trip_ ? std::max<Duration>(2 * *round_trip_, least_timeout) : 3 * least_timeout;
  // Back off while even the small requests are unanswered.
  const unsigned doublings = std::min(silent_tries_, 4U);
  return std::max(std::min<Duration>(normal_wait * (1U << doublings), most_timeout), normal_wait);
}

}  // namespace routevpn::session
