#include "routevpn/session/prober.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::session {

namespace {

constexpr Duration least_answer_time = std::chrono::milliseconds(10);  // for both ends' processes

}  // namespace

void Prober::begin(Time now) {
  exchanges_.clear();
  series_end_.reset();
  baseline_ = {};
  next_sequence_ = 1;
  heard(now);
}

void Prober::end() {
  series_end_.reset();
  due_.reset();
  unanswered_since_.reset();
  gives_up_at_.reset();
}

void Prober::reset_path() {
  path_ = {};
}

// A request is due: the peer was heard since the request before it.
void Prober::heard(Time next_keepalive) {
  unanswered_since_.reset();
  gives_up_at_.reset();
  suspected_ = false;
  burst_ = 0;
  retry_ = first_retry_;
  due_ = next_keepalive;
}

void Prober::suspect(Time now) {
  if (detection_.burst == 0 || !due_ || unanswered_since_) return;
  suspected_ = true;
  due_ = std::min(*due_, now);
}

bool Prober::is_suspicious(Time now) const {
  return unanswered_since_ && now - *unanswered_since_ >= answer_time();
}

// This process did not run, or the machine did not. Then the answers wait, too.
bool Prober::is_late(Time due, Time now) const {
  return now - due > detection_.interval;
}

void Prober::remember(std::uint32_t sequence, Time sent) {
  if (exchanges_.size() == remembered) {
    const Exchange& oldest = exchanges_.front();
    baseline_ = oldest.answered ? Mark{0, oldest.received}
                                : Mark{baseline_.unanswered + 1, baseline_.received};
    exchanges_.pop_front();
  }
  exchanges_.push_back({sequence, sent, false, 0});
  next_sequence_ = sequence + 1;
}

std::uint32_t Prober::send(Time now) {
  end_series();
  const std::uint32_t sequence = next_sequence_;
  remember(sequence, now);
  if (is_suspicious(now)) {
    if (is_late(*due_, now)) burst_ = 0;
    due_ = now + detection_.interval;
    if (++burst_ == detection_.burst) gives_up_at_ = now + answer_time();
    return sequence;
  }
  if (!unanswered_since_) unanswered_since_ = now;
  due_ = std::min(now + detection_.keepalive, *unanswered_since_ + answer_time());
  if (!path_.last) {
    due_ = std::min(*due_, now + retry_);
    retry_ = std::min(retry_ * 2, std::max(detection_.keepalive / 4, first_retry_));
  }
  return sequence;
}

std::uint32_t Prober::begin_series() {
  const bool first = unanswered_since_ && unanswered_since_ == exchanges_.back().sent;
  if (detection_.burst == 0 || !path_.last || suspected_ || !first) return 0;
  // A series waits for each reply, so on a long path its interval would be the round trip.
  if (answer_time() >= detection_.keepalive) return 0;
  const auto more =
      std::clamp<Duration::rep>(spared_interval / detection_.keepalive, 1, most_in_series) - 1;
  if (more == 0) return 0;
  unanswered_since_.reset();
  series_end_ = exchanges_.back().sequence + static_cast<std::uint32_t>(more);
  // If the lane tells nothing.
  due_ = exchanges_.back().sent + (more + 2) * detection_.keepalive + answer_time();
  return static_cast<std::uint32_t>(more);
}

// The lane may have sent more requests than is known.
void Prober::end_series() {
  if (series_end_) next_sequence_ = *series_end_ + 1;
  series_end_.reset();
}

void Prober::unanswered(std::uint32_t sequence, Time sent, Time now) {
  const bool of_series = series_end_ && sequence <= *series_end_ && sequence + 1 >= next_sequence_;
  if (!of_series) return;  // of an earlier one
  if (sequence >= next_sequence_) remember(sequence, sent);
  series_end_.reset();
  unanswered_since_ = sent;
  due_ = now;
}

bool Prober::is_answered_by(Time heard_at, Time now) {
  if (!unanswered_since_ || exchanges_.empty() || heard_at <= exchanges_.back().sent) return false;
  heard(std::max(now, exchanges_.back().sent + detection_.keepalive));
  return *due_ > now;
}

bool Prober::is_spared_by(Time asked, Time heard_at, Time now) {
  const bool waits = unanswered_since_ || suspected_;
  if (detection_.burst == 0 || waits || exchanges_.empty()) return false;
  const Time next = asked + detection_.keepalive + answer_time();
  const Time own = exchanges_.back().sent + std::max(detection_.keepalive, spared_interval);
  if (now >= own) return false;
  if (now < next) {
    due_ = std::exchange(asked_late_, false) ? std::min(next, own) : own;
    return true;
  }
  // The peer's request is missing, as an answer would be.
  if (heard_at < next - detection_.keepalive) unanswered_since_ = now - answer_time();
  return false;
}

// Too short a time does no harm, see is_spared_by().
Duration Prober::asked_within() const {
  if (detection_.burst == 0) return Duration::zero();
  return detection_.keepalive + (path_.last ? answer_time() : least_answer_time);
}

void Prober::request_missing(Time now) {
  if (!due_ || exchanges_.empty() || unanswered_since_ || suspected_) return;
  asked_late_ = true;
  // Within a keepalive after an own request is_spared_by() is asked anyway.
  if (*due_ > exchanges_.back().sent + detection_.keepalive) due_ = std::min(*due_, now);
}

bool Prober::gives_up(Time now) {
  if (!gives_up_at_ || !is_late(*gives_up_at_, now)) return true;
  gives_up_at_.reset();
  burst_ = 0;
  return false;
}

std::optional<Time> Prober::gives_up_at(Time heard_at) const {
  return unanswered_since_ && heard_at > *unanswered_since_ ? std::nullopt : gives_up_at_;
}

bool Prober::answered(std::uint32_t sequence, std::uint32_t received, Duration round_trip, Time now,
                      std::optional<Time> sent) {
  const bool of_series = series_end_ && sequence <= *series_end_;
  if (of_series && sent && sequence >= next_sequence_) remember(sequence, *sent);
  const auto exchange =
      std::find_if(exchanges_.begin(), exchanges_.end(),
                   [sequence](const Exchange& e) { return e.sequence == sequence; });
  if (exchange == exchanges_.end() || exchange->answered) return false;
  exchange->answered = true;
  exchange->received = received;
  round_trip = std::clamp(round_trip, Duration{1}, now - exchange->sent + Duration{1});

  if (path_.last) {
    const Duration difference =
        round_trip > *path_.last ? round_trip - *path_.last : *path_.last - round_trip;
    path_.jitter += (difference - path_.jitter) / 16;
    path_.smoothed += (round_trip - path_.smoothed) / 8;
    path_.min = std::min(path_.min, round_trip);
  } else {
    path_.min = path_.smoothed = round_trip;
  }
  path_.last = round_trip;

  if (of_series && sequence < *series_end_) return true;  // the lane goes on
  series_end_.reset();
  heard(exchanges_.back().sent + detection_.keepalive);
  return true;
}

Duration Prober::timeout() const {
  return path_.last ? 2 * path_.smoothed : first_retry_;
}

Duration Prober::answer_time() const {
  constexpr Duration first = std::chrono::seconds(1);
  if (!path_.last) return first;
  return std::max({path_.smoothed + 4 * path_.jitter, least_answer_time,
                   detection_.burst == 0 ? detection_.interval : Duration::zero()});
}

// Between two replies, our exchanges tell how many requests were sent and how many replies came
// back, and the peer's counts how many requests arrived.
void Prober::count_directions(PathStatus& status) const {
  std::uint32_t last_received = baseline_.received;
  std::uint32_t answers = 0;
  std::uint32_t sent = 0;  // up to the last answered one
  std::uint32_t number = baseline_.unanswered;
  for (const Exchange& exchange : exchanges_) {
    ++number;
    if (!exchange.answered) continue;
    ++answers;
    sent = number;
    // A request that overtook another one was counted first.
    last_received = std::max(last_received, exchange.received);
  }
  const std::uint32_t received =
      std::clamp(last_received - baseline_.received, answers, std::max(answers, sent));
  if (answers == 0) return;
  status.loss_tx = 1 - static_cast<double>(received) / static_cast<double>(sent);
  status.loss_rx = 1 - static_cast<double>(answers) / static_cast<double>(received);
}

PathStatus Prober::status(Time now) const {
  PathStatus status = path_;
  const auto ended = [&](const Exchange& e) {
    // The reply to the last one of a series may be in the mailbox.
    const bool in_time = series_end_ && &e == &exchanges_.back();
    return e.answered || (!in_time && now - e.sent > std::max(detection_.keepalive, timeout()));
  };
  const auto counted = std::count_if(exchanges_.begin(), exchanges_.end(), ended);
  const auto lost = std::count_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const Exchange& e) { return ended(e) && !e.answered; });
  if (counted > 0) status.loss = static_cast<double>(lost) / static_cast<double>(counted);
  count_directions(status);
  return status;
}

}  // namespace routevpn::session
