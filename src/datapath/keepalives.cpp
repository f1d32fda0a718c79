#include "routevpn/datapath/keepalives.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::datapath {

void Keepalives::begin(const SendEcho& wanted, Time now) {
  series_ = wanted;
  sent_ = now;
  waits_ = wanted.more > 0;
  series_due_.reset();
  if (waits_) series_due_ = now + wanted.patience;
  if (wanted.asked_within == Duration::zero()) {
    asked_due_.reset();
  } else {
    asked_due_ = std::min(asked_due_.value_or(Time::max()), now + wanted.asked_within);
  }
}

void Keepalives::end() {
  *this = {};
}

void Keepalives::asked(Time now) {
  if (series_.asked_within != Duration::zero()) asked_due_ = now + series_.asked_within;
}

bool Keepalives::answers(std::uint32_t sequence, Time sent) {
  if (!waits_ || sequence != series_.sequence || sent != sent_) return false;
  waits_ = false;
  series_due_.reset();
  if (series_.more > 0) series_due_ = sent_ + series_.interval;
  return true;
}

std::optional<Time> Keepalives::due() const {
  if (series_due_ && asked_due_) return std::min(*series_due_, *asked_due_);
  return series_due_ ? series_due_ : asked_due_;
}

std::variant<std::monostate, std::uint32_t, EchoMissing, RequestMissing> Keepalives::take(
    Time now) {
  if (asked_due_ && now >= *asked_due_) {
    asked_due_.reset();
    return RequestMissing{};
  }
  if (!series_due_ || now < *series_due_) return {};
  series_due_.reset();
  if (std::exchange(waits_, false)) return EchoMissing{series_.sequence, sent_};
  --series_.more;
  sent_ = now;
  waits_ = true;
  series_due_ = now + series_.patience;
  return ++series_.sequence;
}

}  // namespace routevpn::datapath
