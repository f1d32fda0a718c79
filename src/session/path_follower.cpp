#include "routevpn/session/path_follower.hpp"

#include <algorithm>

#include "routevpn/base/mtu.hpp"
#include "routevpn/datapath/mtu.hpp"

namespace routevpn::session {

using datapath::ControlMessage, datapath::LaneCommand, datapath::SendControl;

void PathFollower::follow(const AssociationStatus& association) {
  const SocketAddress& remote = association.endpoint.remote;
  const bool probed = association.control_messages;
  same_remote_ = remote_ == remote;
  new_path_ = !same_remote_ || !probed || !probed_ || !path_mtu_.active();
  remote_ = remote;
  probed_ = probed;
  overhead_ = datapath::overhead_bytes(remote.address.is_v4(), association.suite);
  look_up(remote);
}

void PathFollower::on_route(const SocketAddress& remote, const outside::RouteMtu& route, Time now) {
  if (remote_ != remote || !std::exchange(expects_route_, false)) return;
  const bool is_new = std::exchange(new_path_, false);
  const unsigned least = remote.address.is_v4() ? ipv4_minimum_mtu : ipv6_minimum_mtu;
  const unsigned most = std::min(probed_ ? route.most : route.now, maximum_mtu + overhead_);
  const unsigned before = same_remote_ ? path_mtu_.found() : 0;
  if (!is_new) {
    path_mtu_.search_again(most, now);  // what was found stays in use meanwhile
  } else if (probed_) {
    path_mtu_.begin({least, most}, before != 0 ? before : route.now, now);
  } else {
    path_mtu_.begin_unprobed({least, route.now}, route.now, now);
  }
  report();
}

void PathFollower::look_up(const SocketAddress& remote) {
  expects_route_ = true;
  outputs_.emplace_back(LookUpRoute{remote});
}

void PathFollower::end() {
  expects_route_ = false;
  path_mtu_.end();
  check_at_.reset();
}

void PathFollower::on_keepalive(Time now) {
  if (now - checked_at_ >= interval_) check(now);
}

void PathFollower::check(Time now) {
  checked_at_ = now;
  const std::uint64_t large = large_datagrams_.load(std::memory_order_relaxed);
  const bool used = std::exchange(large_checked_, large) != large;
  check_at_.reset();
  if (used) check_at_ = now + interval_ / checks_per_interval;
  if (!used && ++unchecked_ < idle_check) return;
  unchecked_ = 0;
  path_mtu_.check(now);
}

void PathFollower::probe(const PathStatus& path, Time now) {
  if (path_mtu_.raise_due(now)) look_up(*remote_);
  path_mtu_.set_path(path.last ? std::optional(path.smoothed) : std::nullopt, path.loss);
  for (const auto& probe : path_mtu_.send(now)) {
    const std::uint32_t padded = probe.mtu == 0 ? 0 : probe.mtu - overhead_;
    outputs_.emplace_back(LaneCommand{SendControl{
        {ControlMessage::Kind::echo_request, datapath::path_probe | probe.sequence}, padded}});
  }
  report();
}

void PathFollower::echo_replied(std::uint32_t sequence, Time now) {
  if (path_mtu_.answered(sequence, now)) report();
}

void PathFollower::too_big(const outside::TooBig& report_of, Time now) {
  if (!remote_ || report_of.to != remote_->address) return;
  if (report_of.by_own_interface) {
    path_mtu_.refused(report_of.mtu, now);
  } else {
    path_mtu_.too_big(report_of.mtu, now);
  }
  report();
}

// The lane's limit first, the interface's MTU then: packets that wait in the interface's queue with
// the old MTU still pass, in fragments.
void PathFollower::report() {
  if (!path_mtu_.active()) return;
  const std::uint32_t limit = path_mtu_.in_use() - overhead_;
  if (probed_ && std::exchange(reported_limit_, limit) != limit) {
    outputs_.emplace_back(LaneCommand{datapath::LimitPayload{limit}});
  }
  const std::pair path{path_mtu_.found(), path_mtu_.found() - overhead_};
  if (std::exchange(reported_path_, path) != path) {
    outputs_.emplace_back(PathMtuChanged{path.first, path.second});
  }
}

}  // namespace routevpn::session
