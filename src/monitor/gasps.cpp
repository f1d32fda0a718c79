#include "routevpn/monitor/gasps.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::monitor {

bool Gasps::keep(const channel::KeepGasp& message) {
  const std::size_t length = message.length;
  if (message.lane >= kept_.size() || length > message.bytes.size()) return false;
  Gasp& gasp = kept_[message.lane];
  if (length == 0) {
    gasp = {};
    return true;
  }
  const auto remote = message.remote.get();
  if (!remote) return false;
  gasp.datagram.assign(message.bytes.begin(), message.bytes.begin() + message.length);
  gasp.to = {*remote, std::nullopt};
  if (const auto local = message.local.get()) gasp.to.local = local->address;
  return true;
}

void Gasps::begin(Time now) {
  for (std::size_t lane = 0; lane < kept_.size(); ++lane) {
    if (!kept_[lane].datagram.empty()) dying_[lane] = std::exchange(kept_[lane], {});
  }
  due_ = now;
  left_ = times;
}

void Gasps::send(Time now, const Sender& sender) {
  if (!due_ || now < *due_) return;
  for (std::size_t lane = 0; lane < dying_.size(); ++lane) {
    const Gasp& gasp = dying_[lane];
    if (!gasp.datagram.empty()) sender(lane, gasp.datagram, gasp.to);
  }
  due_ = --left_ > 0 ? std::optional(now + interval) : std::nullopt;
  if (!due_) std::ranges::fill(dying_, Gasp{});
}

void Gasps::send_all(const Sender& sender) {
  while (due_) send(*due_, sender);
}

}  // namespace routevpn::monitor
