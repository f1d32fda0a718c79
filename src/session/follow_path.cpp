// The path MTU of a session: when its search begins anew, what it sends, and whom its result is
// told.

#include <algorithm>

#include "routevpn/datapath/mtu.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::session {

// A confirmed association, or its peer at another address. Renewed on the path that is known, what
// was found stays in use while more is looked for.
void Session::follow_path(const Known& known, Time now) {
  const SocketAddress& remote = known.status.endpoint.remote;
  const bool v4 = remote.address.is_v4();
  const bool same_path = path_remote_ == remote;
  const bool probed = known.status.control_messages;
  path_overhead_ = datapath::overhead_bytes(v4, known.status.suite);
  path_remote_ = remote;
  if (same_path && probed && path_probed_ && path_mtu_.active()) return look_again_at_path(now);

  path_probed_ = probed;
  const auto route = surroundings_.route_mtu(remote);
  const unsigned least = v4 ? datapath::least_mtu : datapath::least_mtu_v6;
  if (probed) {
    const unsigned most = std::min(route.most, datapath::most_mtu + path_overhead_);
    const unsigned before = path_mtu_.found();
    path_mtu_.begin({least, most}, same_path && before != 0 ? before : route.now, now);
  } else {
    path_mtu_.begin_unprobed({least, route.now}, route.now, now);
  }
  tell_path_mtu();
}

void Session::look_again_at_path(Time now) {
  if (!path_remote_) return;
  const auto route = surroundings_.route_mtu(*path_remote_);
  const unsigned most = path_probed_ ? route.most : route.now;
  path_mtu_.look_again(std::min(most, datapath::most_mtu + path_overhead_), now);
  tell_path_mtu();
}

// With each of the prober's requests, and between them while large datagrams are sent.
void Session::check_path(Time now) {
  const std::uint64_t large = surroundings_.large_datagrams();
  const bool used = std::exchange(large_checked_, large) != large;
  check_at_.reset();
  if (used) check_at_ = now + settings_.keepalive / checks_per_keepalive;
  if (!used && ++unchecked_ < idle_check) return;
  unchecked_ = 0;
  path_mtu_.check(now);
}

void Session::probe_path(Time now) {
  if (path_mtu_.raise_due(now)) look_again_at_path(now);
  const PathStatus path = prober_.status(now);
  path_mtu_.know_path(path.last ? std::optional(path.smoothed) : std::nullopt, path.loss);
  for (const auto& probe : path_mtu_.send(now)) {
    const std::uint32_t padded = probe.mtu == 0 ? 0 : probe.mtu - path_overhead_;
    surroundings_.command(datapath::SendControl{
        {datapath::ControlMessage::Kind::echo_request, datapath::path_probe | probe.sequence},
        padded});
  }
  tell_path_mtu();
}

void Session::datagram_too_big(const outside::TooBig& news, Time now) {
  if (!path_remote_ || news.to != path_remote_->address) return;
  if (news.by_own_interface) {
    path_mtu_.refused(news.mtu, now);
  } else {
    path_mtu_.too_big(news.mtu, now);
  }
  tell_path_mtu();
}

void Session::tell_path_mtu() {
  if (!path_mtu_.active()) return;
  // Smaller pieces first, the interface then: what it still has in its queue passes, too.
  const std::uint32_t limit = path_mtu_.in_use() - path_overhead_;
  if (path_probed_ && std::exchange(told_limit_, limit) != limit) {
    surroundings_.command(datapath::LimitPayload{limit});
  }
  const std::pair path{path_mtu_.found(), path_mtu_.found() - path_overhead_};
  if (std::exchange(told_path_, path) != path) {
    surroundings_.path_mtu_changed(path.first, path.second);
  }
}

}  // namespace routevpn::session
