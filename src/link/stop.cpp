// What ends a link: its monitor, or the loss of its interface.

#include <algorithm>

#include "routevpn/base/log.hpp"
#include "routevpn/link/link.hpp"

namespace routevpn::link {

void Link::begin_stop(bool as_asked) {
  const Time now = read_clock();
  if (stop_at_) {  // asked twice: at once
    stop_at_ = now;
    return;
  }
  as_asked_ = as_asked;
  const bool has_peer = std::any_of(lanes_.begin(), lanes_.end(), [now](const auto& lane) {
    return lane->session().status(now).association.has_value();
  });
  stop_at_ = has_peer ? now + drain_time : now;
  if (has_peer) close_notify_at_ = now + drain_time / close_notifies;
  for (const auto& lane : lanes_) {
    lane->session().stop(now);
    drain(*lane);
  }
}

void Link::interface_gone() {
  if (stop_at_) return;
  log_error("the interface is gone", {{"ifname", ifname_}});
  begin_stop(false);
}

}  // namespace routevpn::link
