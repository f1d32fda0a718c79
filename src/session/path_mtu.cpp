#include "routevpn/session/path_mtu.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::session {

namespace {

// What paths usually carry: tunnels and access lines on Ethernet, then the larger links. They are
// tried from below: a size that passes costs one round trip, one that fails three times the
// patience, and this way one or two do.
constexpr std::array<unsigned, 18> usual = {
    1280,  // IPv6's least, and many tunnels
    1340, 1380, 1400,
    1420,        // WireGuard
    1430, 1440,  // IPsec, with what it has
    1450,        // VXLAN over IPv4
    1460,        // Google's cloud
    1472,        // IPv6 in UDP in IPv4
    1476,        // GRE
    1480,        // IPv6 in IPv4
    1492,        // PPPoE
    1500,        // Ethernet
    4352,        // FDDI
    4470,        // packet over SONET
    9000, 9001,  // jumbo frames; Amazon's
};

constexpr double by_chance = 0.001;  // a size may fail by mere loss this often
constexpr unsigned most_probes = 10;

constexpr std::uint32_t stride = 4;  // sequence numbers of one try
constexpr std::uint32_t sequences = 1U << 31;

bool is_usual(unsigned mtu) {
  return std::binary_search(usual.begin(), usual.end(), mtu);
}

// The smallest of those strictly between.
std::optional<unsigned> usual_between(unsigned low, unsigned high) {
  const auto* const found = std::upper_bound(usual.begin(), usual.end(), low);
  return found != usual.end() && *found < high ? std::optional(*found) : std::nullopt;
}

}  // namespace

void PathMtu::begin(Range range, unsigned guess, Time now) {
  range_ = {range.least, std::max(range.least, range.most)};
  passes_ = range_.least;
  fails_ = range_.most + 1;
  found_ = std::clamp(guess, range_.least, range_.most);
  guess_ = found_;
  hint_.reset();
  tries_ = {};  // answers to what went the old way prove nothing
  distrusted_until_.reset();
  raise_at_ = now + raise_interval;
  state_ = State::searching;
  next(now);
}

void PathMtu::begin_unprobed(Range range, unsigned guess, Time now) {
  begin(range, guess, now);
  passes_ = found_;
  state_ = State::unprobed;
  due_.reset();
}

void PathMtu::end() {
  state_ = State::off;
  due_.reset();
}

void PathMtu::know_path(std::optional<Duration> round_trip, double loss) {
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
  if (state_ != State::checking) return passes_;
  // In doubt, what passes for certain: smaller datagrams cost less than lost ones.
  if (hint_) return std::min(passes_, *hint_);
  return failed_tries_ > 0 ? passes_beside_ : passes_;
}

void PathMtu::look_again(unsigned most, Time now) {
  if (state_ == State::off) return;
  raise_at_ = now + raise_interval;
  range_.most = std::max(range_.least, most);
  fails_ = range_.most + 1;
  if (state_ == State::unprobed) {
    passes_ = found_ = range_.most;
  } else if (passes_ > range_.most) {
    passes_ = range_.least;
    next(now);
  } else if (state_ == State::complete) {
    next(now);
  }
}

void PathMtu::check(Time now) {
  if (state_ == State::complete) doubt(now);
}

void PathMtu::doubt(Time now) {
  if (passes_ == range_.least) return;
  passes_beside_ = range_.least;
  ask(passes_, State::checking, now);
}

void PathMtu::too_big(unsigned mtu, Time now) {
  if (state_ == State::off) return;
  const unsigned doubted = state_ == State::searching ? asked_ : passes_;
  if (mtu >= doubted || (distrusted_until_ && now < *distrusted_until_)) return;
  if (state_ == State::unprobed) {
    passes_ = found_ = std::max(mtu, range_.least);
    raise_at_ = now + raise_interval;
    return;
  }
  if (state_ == State::complete || (state_ == State::searching && mtu < passes_)) doubt(now);
  // Less than there can be says nothing but that something is too big (RFC 8899 section 4.6.2).
  if (mtu < range_.least || (hint_ && mtu >= *hint_)) return;
  hint_ = mtu;
  due_ = now;
}

void PathMtu::refused(unsigned most, Time now) {
  if (state_ == State::off || most >= range_.most) return;
  look_again(most, now);
  if (state_ == State::searching && asked_ > range_.most) next(now);
}

bool PathMtu::answered(std::uint32_t sequence, Time now) {
  if (state_ == State::off || state_ == State::unprobed) return false;
  const Try& asked = tries_[sequence / stride % tries_.size()];
  const std::uint32_t which = sequence - asked.sequence;
  if (asked.mtu == 0 || which > 2 || (which == 2 && asked.hint == 0)) return false;
  // Sent before ICMP spoke, perhaps over the path as it was.
  const bool outdated = hint_ && asked.mtu > *hint_ && (asked.hint == 0 || asked.hint > *hint_);
  if (which == 1) {
    if (asked.mtu == asked_) heard_ = true;
    silent_tries_ = 0;
  } else if (which == 2 || !outdated) {
    passed(which == 0 ? asked.mtu : asked.hint, now);
  }
  return true;
}

void PathMtu::passed(unsigned mtu, Time now) {
  if (state_ == State::checking) {
    if (mtu < passes_) {
      passes_beside_ = std::max(passes_beside_, mtu);
      return;
    }
    if (hint_) distrusted_until_ = now + distrust;
    hint_.reset();
  } else if (mtu <= passes_) {
    return;
  }
  passes_ = mtu;
  if (mtu >= fails_) fails_ = range_.most + 1;  // a late answer that disproves it
  if (state_ != State::searching || asked_ <= passes_) next(now);
}

void PathMtu::failed(Time now) {
  fails_ = asked_;
  if (state_ == State::checking) passes_ = passes_beside_;
  next(now);
}

// On to the next size, or to the end of the search.
void PathMtu::next(Time now) {
  // ICMP's word and ours agree.
  if (hint_ == passes_ && fails_ <= range_.most) fails_ = passes_ + 1;
  if (fails_ - passes_ <= 1) return complete(now);
  ask(candidate(), State::searching, now);
}

void PathMtu::complete(Time now) {
  if (state_ == State::searching) raise_at_ = now + raise_interval;
  state_ = State::complete;
  found_ = passes_;
  hint_.reset();
  guess_.reset();
  due_.reset();
}

unsigned PathMtu::candidate() {
  const auto open = [this](const std::optional<unsigned>& mtu) {
    return mtu && *mtu > passes_ && *mtu < fails_;
  };
  if (open(hint_)) return *hint_;
  if (open(guess_)) return *std::exchange(guess_, std::nullopt);
  if (fails_ > range_.most) return range_.most;
  // Most often nothing has changed, or the path is a usual one: then one more byte fails.
  if (passes_ == found_) return passes_ + 1;
  if (const auto between = usual_between(passes_, fails_)) return *between;
  if (is_usual(passes_)) return passes_ + 1;
  return passes_ + (fails_ - passes_) / 2;
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
    ++(heard_ ? failed_tries_ : silent_tries_);
    if (failed_tries_ >= enough_tries()) {
      failed(now);
      if (!due_) return {};
    }
  }
  const std::uint32_t sequence = next_sequence_;
  next_sequence_ = (next_sequence_ + stride) % sequences;
  const unsigned hint = hint_ && *hint_ < asked_ ? *hint_ : 0;
  tries_[sequence / stride % tries_.size()] = {sequence, asked_, hint};
  heard_ = false;
  due_ = try_ends_ = now + patience();
  probes_ = {{{sequence, asked_}, {sequence + 1, 0}, {sequence + 2, hint}}};
  return std::span(probes_).first(hint == 0 ? 2 : 3);
}

unsigned PathMtu::enough_tries() const {
  double chance = loss_ * loss_ * loss_;
  unsigned tries = max_probes;
  for (; chance > by_chance && tries < most_probes; ++tries) chance *= loss_;
  return hint_ ? tries - 1 : tries;
}

Duration PathMtu::patience() const {
  const Duration usual_wait =
      round_trip_ ? std::max<Duration>(2 * *round_trip_, least_patience) : 3 * least_patience;
  // Into silence ever slower.
  const unsigned doublings = std::min(silent_tries_, 4U);
  return std::max(std::min<Duration>(usual_wait * (1U << doublings), most_patience), usual_wait);
}

}  // namespace routevpn::session
