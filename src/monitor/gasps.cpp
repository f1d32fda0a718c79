#include "routevpn/monitor/gasps.hpp"

namespace routevpn::monitor {

bool Gasps::keep(const channel::KeepGasp& message) {
  const std::size_t length = message.length;
  if (message.lane >= kept_.size() || length > message.bytes.size()) return false;
  if (length != 0 && !message.remote.get()) return false;
  kept_[message.lane] = message;
  return true;
}

void Gasps::begin(Time now) {
  for (std::size_t lane = 0; lane < kept_.size(); ++lane) {
    if (kept_[lane].length != 0) dying_[lane] = kept_[lane];
    kept_[lane] = {};
  }
  due_ = now;
  left_ = times;
}

outside::Endpoint Gasps::endpoint_of(const channel::KeepGasp& gasp) {
  outside::Endpoint to;
  if (const auto remote = gasp.remote.get()) to.remote = *remote;
  if (const auto local = gasp.local.get()) to.local = local->address;
  return to;
}

}  // namespace routevpn::monitor
