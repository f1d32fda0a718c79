// The worker's life: what it is given, its end, and its successor.

#include <algorithm>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/datapath/outer_class.hpp"
#include "routevpn/monitor/monitor.hpp"

#include "sealed_files.hpp"
#include "tell.hpp"

namespace routevpn::monitor {

void Monitor::start_worker() {
  ends_.reset();
  worker_ = start_process();
  state_ = starting;
  answered_ = true;
  has_ended_ = false;
  send_failed_ = false;
  parts_.clear();
  loop_.watch(worker_->ended_fd(), [this] { worker_ended(); });
  loop_.watch(worker_->channel().fd(), [this] { on_message(); });
  paused_until_.reset();
  give_start(*worker_, false);
  if (!unit_.empty()) store_worker(*worker_);
}

std::unique_ptr<WorkerProcess> Monitor::start_process() {
  auto process =
      std::make_unique<WorkerProcess>(program_, listener_.link(), ends_.worker_netns, account_.uid);
  ++worker_starts_;
  return process;
}

static_assert(channel::most_lanes <= 16, "channel::Start has a bit for each lane's sparse socket");

void Monitor::give_start(const WorkerProcess& process, bool takes_over) {
  for (std::size_t lane = 0; lane < ends_.lanes.size(); ++lane) {
    const auto& peer = last_peers_.of(lane);
    if (!peer) continue;
    tell_process(process, channel::RememberedPeer{static_cast<std::uint8_t>(lane),
                                                  channel::Address::of(*peer)});
  }
  give_psks(process);
  const SealedFiles files(options_, texts_);
  std::vector<int> descriptors = files.descriptors();
  const Fd placeholder(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto add = [&](int fd) { descriptors.push_back(fd < 0 ? placeholder.get() : fd); };
  const auto& probe = ends_.route_probe;
  for (const int fd : {listener_.fd(), probe.fd(true), probe.fd(false), empty_root_.get(),
                       process.memory().get()}) {
    add(fd);
  }
  for (const auto& lane : ends_.lanes) {
    add(lane.socket.fd());
    add(lane.sparse ? lane.sparse->fd() : -1);
    add(lane.tun.fd());
  }
  const auto& sparse_queue = ends_.lanes.front().sparse_queue;
  if (sparse_queue) {
    add(sparse_queue->tun.fd());
    add(sparse_queue->steering.get());
  }
  channel::Start start{};
  start.link = channel::Text<112>::of(listener_.link());
  start.ifname = channel::Text<16>::of(ifname_);
  start.mtu = mtu_;
  start.lanes = static_cast<std::uint32_t>(ends_.lanes.size());
  start.socket_is_v4 = ends_.lanes.front().socket.family() == AF_INET ? 1 : 0;
  start.udp_offload = ends_.lanes.front().tun.has_udp_offload() ? 1 : 0;
  start.lookup_v4 = probe.fd(true) >= 0 ? 1 : 0;
  start.lookup_v6 = probe.fd(false) >= 0 ? 1 : 0;
  for (std::size_t lane = 0; lane < ends_.lanes.size(); ++lane) {
    if (ends_.lanes[lane].sparse) start.sparse_sockets |= static_cast<std::uint16_t>(1U << lane);
  }
  start.sparse_queue = sparse_queue ? 1 : 0;
  start.key = key_;
  start.confined = options_.no_sandbox ? 0 : 1;
  start.may_outlive = unit_.empty() ? 0 : 1;
  start.takes_over = takes_over ? 1 : 0;
  start.uid = account_.uid;
  start.gid = account_.gid;
  start.monitor_pid = getpid();
  start.settings_read = settings_read_.time_since_epoch().count();
  start.worker_starts = worker_starts_;
  start.flaps = flaps_;
  start.refused_sources = refused_sources();
  tell_process(process, start, descriptors);
}

void Monitor::give_psks(const WorkerProcess& process) {
  for (const auto& psk : psks_) {
    channel::PskSecrets secrets{};
    std::ranges::copy(psk->envelope_secret(), secrets.envelope.begin());
    std::ranges::copy(psk->traffic_secret(), secrets.traffic.begin());
    tell_process(process, secrets);
    explicit_bzero(&secrets, sizeof secrets);
  }
}

void Monitor::worker_ended() {
  carrier_off();
  drop_next();
  leave_by_.reset();
  const bool was_running = std::exchange(state_, dying) == running;
  for (int i = 0; i < most_last_turns; ++i) on_message();  // its last gasp may be among them
  ends_.restore_sockets();
  gasps_.begin(read_clock());  // there is none after an orderly stop
  gasps_.send(read_clock(), gasp_sender());
  abandon_reloads("the worker has ended before it took the files");
  loop_.unwatch(worker_->channel().fd());
  loop_.unwatch(worker_->ended_fd());
  drop_resolvers();
  const std::string how = worker_->wait();
  const Time started = worker_->started();
  worker_.reset();
  done_ = exit_.has_value();
  if (!done_) {
    plan_restart(how, started);
  } else if (was_running && !has_ended_) {
    log_warning("the worker has died during the stop", {{"end", how}});
  }
  state_ = gone;
}

void Monitor::drop_resolvers() {
  for (auto& resolver : resolvers_) {
    if (resolver) loop_.unwatch(resolver->fd());
    resolver.reset();
  }
}

// The monitor ends: it sends the gasps that are left without waiting for their times, and announces
// the end if no worker has. It may have no worker, for example while a restart is delayed.
void Monitor::finish() {
  gasps_.send_all(gasp_sender());
  if (announced_ == channel::LinkState::down) return;
  if (exit_ == Exit::stopped) {
    report_state(channel::LinkState::down, "stopped", "stopped as asked", "");
  } else {
    report_state(channel::LinkState::down, "worker_died", "the link has ended without a worker",
                 "");
  }
}

std::uint8_t Monitor::gasp_class() const {
  return datapath::OuterClass(options_.dscp).of_control();
}

Gasps::Sender Monitor::gasp_sender() {
  return [this](std::size_t lane, ConstBytes gasp, const outside::Endpoint& to) {
    // A datagram that is not sent is as good as a lost one.
    static_cast<void>(ends_.lanes[lane].socket.send_one(gasp, to, gasp_class()));
  };
}

void Monitor::plan_restart(const std::string& how, Time started) {
  const Time now = read_clock();
  const auto delay = restart_policy_.on_death(started, now);
  if (!delay) {
    log_error("the worker has died 10 times within a minute, so the link ends", {{"end", how}});
    exit_ = Exit::failed;
    done_ = true;
    return;
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*delay).count();
  log_error("the worker has died and is replaced",
            {{"end", how}, {"delay_ms", std::to_string(ms)}});
  if (announced_ == channel::LinkState::up) {
    report_state(channel::LinkState::connecting, "worker_died",
                 std::string("the worker has died (").append(how).append(") and is replaced"), "");
  }
  restart_at_ = now + *delay;
}

}  // namespace routevpn::monitor
