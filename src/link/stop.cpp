// What ends a link: a signal, the loss of its interface or of a namespace, the end of its guardian.

#include <algorithm>

#include "routevpn/base/log.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/link/link.hpp"

namespace routevpn::link {

void Link::begin_stop(Exit status) {
  const Time now = read_clock();
  if (stop_at_) {  // asked twice: at once
    stop_at_ = now;
    return;
  }
  exit_ = status;
  host::notify("STOPPING=1");
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

// Our open descriptor would keep a deleted namespace alive, so the link exits.
void Link::on_netns_change() {
  const auto deleted = netns_watch_.deleted();
  if (!deleted) return;
  log_error("the network namespace was deleted", {{"netns", *deleted}});
  begin_stop(Exit::failed);
}

void Link::interface_gone() {
  if (stop_at_) return;
  log_error("the interface is gone", {{"ifname", ifname_}});
  begin_stop(Exit::failed);
}

// Forwarding goes off first: packets of the link would leave with their inside addresses.
void Link::guardian_ended() {
  loop_.unwatch(ends_.guardian->ended_fd());
  log_error("the guardian process has ended, so the link ends");
  try {
    ends_.guardian->undo(ends_.private_netns);
  } catch (const SystemError& error) {
    log_error("the guardian's rules remain", {{"error", error.what()}});
  }
  if (!stop_at_) begin_stop(Exit::failed);
}

}  // namespace routevpn::link
