#include "routevpn/monitor/kept_link.hpp"

#include <algorithm>
#include <csignal>

#include <poll.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/fields.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/fd_store.hpp"
#include "routevpn/options/link_table.hpp"

#include "sealed_files.hpp"

namespace routevpn::monitor {

namespace {

// The names in the service manager's store, the same in every version. Those of lanes have the
// lane's number behind them.
constexpr const char* state_name = "state";
constexpr const char* pair_name = "pair";
constexpr const char* worker_name = "worker";
constexpr const char* memory_name = "memory";
constexpr const char* guardian_pipe_name = "guardian-pipe";
constexpr const char* guardian_name = "guardian";
constexpr const char* bulk_name = "udp";
constexpr const char* sparse_name = "sparse";
constexpr const char* queue_name = "tun";
constexpr const char* sparse_queue_name = "sparse-tun";
constexpr const char* steering_name = "steering";

constexpr std::size_t most_state_bytes = std::size_t{4} << 20;  // the credentials have 3 files
constexpr std::chrono::milliseconds store_time{1000};

std::string of_lane(const char* name, std::size_t lane) {
  return name + std::to_string(lane);
}

Fd sealed_state(KeptState& state) {
  std::vector<std::uint8_t> content(most_state_bytes);
  FieldWriter writer(content);
  fields(writer, state);
  if (!writer.fits()) throw SystemError("the link's state is too large");
  return sealed_file("routevpn-link",
                     {reinterpret_cast<const char*>(content.data()), writer.bytes()});
}

struct Named {
  std::string name;
  int fd;
};

std::vector<Named> all_descriptors(const Ends& ends, const WorkerProcess& worker, const Fd& state) {
  std::vector<Named> all{{pair_name, worker.channel().fd()},
                         {worker_name, worker.ended_fd()},
                         {memory_name, worker.memory().get()}};
  if (ends.guardian) {
    all.push_back({guardian_pipe_name, ends.guardian->pipe_fd()});
    all.push_back({guardian_name, ends.guardian->ended_fd()});
  }
  for (std::size_t lane = 0; lane < ends.lanes.size(); ++lane) {
    const auto& one = ends.lanes[lane];
    all.push_back({of_lane(bulk_name, lane), one.socket.fd()});
    if (one.sparse) all.push_back({of_lane(sparse_name, lane), one.sparse->fd()});
    all.push_back({of_lane(queue_name, lane), one.tun.fd()});
    if (!one.sparse_queue) continue;
    all.push_back({of_lane(sparse_queue_name, lane), one.sparse_queue->tun.fd()});
    all.push_back({of_lane(steering_name, lane), one.sparse_queue->steering.get()});
  }
  all.push_back({state_name, state.get()});  // last: with it the others are complete
  return all;
}

}  // namespace

std::string lasting_options(options::LinkOptions options) {
  const options::LinkOptions defaults;
  if (!options.accepts_routed()) options.accept.clear();
  options.config_file.clear();
  options.certificate = defaults.certificate;
  options.key = defaults.key;
  options.ca = defaults.ca;
  options.crl = defaults.crl;
  options.crl_grace = defaults.crl_grace;
  options.psk.clear();
  options.peer_name = defaults.peer_name;
  options.ciphers = defaults.ciphers;
  options.crypto = defaults.crypto;
  options.detection.reset();
  options.keepalive.reset();
  options.dead_after.reset();
  options.up_delay = defaults.up_delay;
  options.rekey = defaults.rekey;
  options.rekey_records.reset();
  options.dscp = defaults.dscp;
  options.on_state.clear();
  options.log_level = defaults.log_level;
  options.log_format = defaults.log_format;
  return options::to_config(options);
}

void store_worker(const WorkerProcess& worker) {
  host::remove_stored_descriptor(worker_name);  // of the worker before
  static_cast<void>(host::store_descriptor(worker_name, worker.ended_fd()));
}

bool keep_link(KeptState state, const Ends& ends, const WorkerProcess& worker) {
  const Fd file = sealed_state(state);
  const auto all = all_descriptors(ends, worker, file);
  host::remove_stored_descriptor(worker_name);  // that of store_worker()
  const bool kept = std::ranges::all_of(
      all, [](const Named& one) { return host::store_descriptor(one.name, one.fd); });
  if (kept && host::wait_for_service_manager(store_time)) return true;
  for (const Named& one : all) host::remove_stored_descriptor(one.name);
  store_worker(worker);
  return false;
}

std::optional<KeptLink> KeptLink::take(uid_t uid) {
  auto stored = host::take_stored_descriptors();
  if (stored.empty()) return std::nullopt;
  KeptLink link;
  for (auto& one : stored) {
    host::remove_stored_descriptor(one.name);
    link.descriptors_.push_back({std::move(one.name), std::move(one.fd)});
  }
  const Fd state = link.take_descriptor(state_name);
  if (state && link.read(state)) return link;
  const bool had_link = link.has(pair_name) || state;
  if (had_link) {
    log_warning("the link that the service manager has kept is not complete, so a new one starts");
  }
  if (link.has(worker_name)) link.end_worker(uid);
  return std::nullopt;
}

// False: there is not even a prefix.
bool KeptLink::read(const Fd& file) {
  std::vector<std::uint8_t> content(most_state_bytes);
  const auto got = pread(file.get(), content.data(), content.size(), 0);
  if (got <= 0) return false;
  const auto written = ConstBytes(content).first(static_cast<std::size_t>(got));
  KeptState state;
  FieldReader first(written);
  first(state.prefix);
  if (!first.valid() || state.prefix.magic != KeptPrefix::wanted_magic) return false;
  state_.prefix = state.prefix;
  if (state.prefix.version != channel::version) return true;
  FieldReader all(written);
  all(state);
  has_state_ = all.complete();
  if (has_state_) state_ = std::move(state);
  return true;
}

void KeptLink::end_worker(uid_t uid) {
  state_.prefix.worker_uid = uid;
  pollfd ended{std::ranges::find(descriptors_, worker_name, &Descriptor::name)->fd.get(), POLLIN,
               0};
  if (poll(&ended, 1, 0) == 0)
    log_warning("the worker of a killed monitor is still there: it ends");
  static_cast<void>(take_worker());  // its destructor kills the worker
}

bool KeptLink::has(const std::string& name) const {
  return std::ranges::count(descriptors_, name, &Descriptor::name) == 1;
}

Fd KeptLink::take_descriptor(const std::string& name) {
  const auto found = std::ranges::find(descriptors_, name, &Descriptor::name);
  if (found == descriptors_.end()) return {};
  Fd fd = std::move(found->fd);
  descriptors_.erase(found);
  return fd;
}

std::optional<std::string> KeptLink::misfit(const options::LinkOptions& options,
                                            const host::Netns& public_netns,
                                            const host::Netns& private_netns) const {
  if (state_.prefix.version != channel::version) return "it is of another version of routevpn";
  if (!has_state_) return "its state is not complete";
  if (state_.options != lasting_options(options)) return "its options were others";
  if (state_.public_netns != public_netns.inode() ||
      state_.private_netns != private_netns.inode()) {
    return "its network namespaces were others";
  }
  bool complete = has(pair_name) && has(worker_name) && has(memory_name) &&
                  state_.prefix.gasps.size() == options.lanes;
  for (std::size_t lane = 0; lane < options.lanes; ++lane) {
    complete = complete && has(of_lane(bulk_name, lane)) && has(of_lane(queue_name, lane));
  }
  if (state_.prefix.guardian_pid != 0) {
    complete = complete && has(guardian_pipe_name) && has(guardian_name);
  }
  if (!complete) return "descriptors are missing";
  return std::nullopt;
}

host::Guardian KeptLink::take_guardian() {
  return host::Guardian::adopt(state_.prefix.guardian_pid, take_descriptor(guardian_pipe_name),
                               take_descriptor(guardian_name), state_.leftovers);
}

std::vector<datapath::LaneEnds> KeptLink::take_lanes(bool accepts) {
  const int family = state_.prefix.socket_is_v4 ? AF_INET : AF_INET6;
  std::vector<datapath::LaneEnds> lanes;
  for (std::size_t lane = 0; lane < state_.prefix.gasps.size(); ++lane) {
    std::optional<outside::UdpSocket> sparse;
    if (Fd fd = take_descriptor(of_lane(sparse_name, lane))) {
      sparse.emplace(accepts ? outside::UdpSocket::adopt_beside(std::move(fd), family)
                             : outside::UdpSocket::adopt(std::move(fd), family, true));
    }
    lanes.push_back(
        {outside::UdpSocket::adopt(take_descriptor(of_lane(bulk_name, lane)), family, !accepts),
         std::move(sparse),
         inside::Tun::adopt(take_descriptor(of_lane(queue_name, lane)), state_.ifname,
                            state_.udp_offload)});
    Fd queue = take_descriptor(of_lane(sparse_queue_name, lane));
    Fd steering = take_descriptor(of_lane(steering_name, lane));
    if (!queue || !steering) continue;
    lanes.back().sparse_queue.emplace(datapath::LaneEnds::SparseQueue{
        inside::Tun::adopt(std::move(queue), state_.ifname, state_.udp_offload),
        std::move(steering)});
  }
  if (lanes.empty() || !lanes.front().tun.exists()) {
    throw SystemError("interface " + state_.ifname + " was deleted while the link restarted");
  }
  return lanes;
}

std::unique_ptr<WorkerProcess> KeptLink::take_worker() {
  return std::make_unique<WorkerProcess>(
      state_.prefix.worker_pid, state_.prefix.worker_uid, take_descriptor(worker_name),
      channel::Channel(take_descriptor(pair_name)), take_descriptor(memory_name));
}

KeptLink::~KeptLink() {
  if (!has(worker_name)) return;
  try {
    discard();
  } catch (const SystemError& error) {
    log_warning("the link of the monitor before has not ended in order", {{"error", error.what()}});
  }
}

void KeptLink::discard() {
  if (has(worker_name)) static_cast<void>(take_worker());  // the destructor kills it
  send_gasps();
  std::optional<host::Guardian> guardian;
  if (has(guardian_pipe_name) && has(guardian_name)) guardian.emplace(take_guardian());
  descriptors_.clear();
}

void KeptLink::send_gasps() {
  const int family = state_.prefix.socket_is_v4 ? AF_INET : AF_INET6;
  Gasps gasps(state_.prefix.gasps);
  std::vector<std::optional<outside::UdpSocket>> sockets;
  for (std::size_t lane = 0; lane < state_.prefix.gasps.size(); ++lane) {
    Fd bulk = take_descriptor(of_lane(bulk_name, lane));
    auto& socket = sockets.emplace_back();
    if (!bulk) continue;
    socket = outside::UdpSocket::adopt(std::move(bulk), family, false);
    socket->restore();
  }
  gasps.begin(read_clock());
  gasps.send_all([&](std::size_t lane, ConstBytes gasp, const outside::Endpoint& to) {
    if (sockets[lane]) {
      static_cast<void>(sockets[lane]->send_one(gasp, to, state_.prefix.traffic_class));
    }
  });
}

}  // namespace routevpn::monitor
