#include "routevpn/link/prober.hpp"

#include <algorithm>

namespace routevpn::link {

void Prober::begin(Time now) {
  exchanges_.clear();
  next_sequence_ = 1;
  retry_ = first_retry_;
  due_ = now;
}

void Prober::forget_path() {
  path_ = {};
}

std::uint32_t Prober::send(Time now) {
  const bool unanswered = !exchanges_.empty() && !exchanges_.back().answered;
  if (unanswered) retry_ = std::min(retry_ * 2, std::max(keepalive_ / 4, patience()));
  if (exchanges_.size() == remembered) exchanges_.pop_front();
  exchanges_.push_back({next_sequence_, now, false});
  due_ = now + std::min(retry_, keepalive_);
  return next_sequence_++;
}

bool Prober::answered(std::uint32_t sequence, Duration round_trip, Time now) {
  const auto exchange =
      std::find_if(exchanges_.begin(), exchanges_.end(),
                   [sequence](const Exchange& e) { return e.sequence == sequence; });
  if (exchange == exchanges_.end() || exchange->answered) return false;
  exchange->answered = true;
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

  if (exchange == std::prev(exchanges_.end())) {
    retry_ = std::max(keepalive_ / 4, patience());
    due_ = exchange->sent + keepalive_;
  }
  return true;
}

Duration Prober::patience() const {
  return path_.last ? 2 * path_.smoothed : first_retry_;
}

PathStatus Prober::status(Time now) const {
  PathStatus status = path_;
  const auto over = [&](const Exchange& e) {
    return e.answered || now - e.sent > std::max(keepalive_, patience());
  };
  const auto counted = std::count_if(exchanges_.begin(), exchanges_.end(), over);
  const auto lost = std::count_if(exchanges_.begin(), exchanges_.end(),
                                  [&](const Exchange& e) { return over(e) && !e.answered; });
  if (counted > 0) status.loss = static_cast<double>(lost) / static_cast<double>(counted);
  return status;
}

}  // namespace routevpn::link
