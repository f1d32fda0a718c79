#include "routevpn/monitor/ends.hpp"

#include <chrono>
#include <thread>

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/datapath/mtu.hpp"
#include "routevpn/host/capabilities.hpp"
#include "routevpn/inside/steering.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/monitor/kept_link.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::monitor {

namespace {

host::Netns namespace_of(const std::string& name, const std::string& option) {
  return name.empty() ? host::Netns::of_start() : host::Netns::open(name, option);
}

// Later children, such as commands of --on-state, get no namespace as standard input.
void close_standard_input() {
  const Fd none(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!none || dup2(none.get(), STDIN_FILENO) < 0) throw system_error("/dev/null");
}

// After a kill -9 of a link's monitor its worker is there for some milliseconds more, with sockets
// and interface. A new link of the same options waits for its end.
template <typename Open>
auto open_when_free(Open open) {
  const Time end = read_clock() + std::chrono::milliseconds(500);
  for (;;) {
    try {
      return open();
    } catch (const BusyError&) {
      if (read_clock() >= end) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

struct Sockets {
  outside::UdpSocket bulk;
  std::optional<outside::UdpSocket> sparse;
};

// An initiator's has a port that the kernel chooses.
std::optional<outside::UdpSocket> open_sparse(const outside::UdpSocket& bulk,
                                              outside::UdpOptions socket) {
  try {
    if (!socket.routed_source) return outside::UdpSocket::open_beside(bulk, socket);
    socket.port = 0;
    return outside::UdpSocket::open(socket);
  } catch (const std::exception& error) {
    log_warning("no socket for sparse flows: they wait behind the others",
                {{"error", error.what()}});
    return std::nullopt;
  }
}

// Lane i's port is i above the link's.
std::vector<Sockets> open_sockets(const options::LinkOptions& options, const host::Netns& where) {
  const host::NetnsScope scope(where);
  std::vector<Sockets> sockets;
  for (unsigned lane = 0; lane < options.lanes; ++lane) {
    outside::UdpOptions socket;
    if (options.listen) {
      socket.address = options.listen->address;
      socket.port = static_cast<std::uint16_t>(options.listen->port + lane);
    }
    socket.mark = options.fwmark;
    // An acceptor replies from the local address that the peer used. An initiator lets the routing
    // table choose the source address.
    socket.routed_source = !options.peers.empty();
    auto bulk = open_when_free([&] { return outside::UdpSocket::open(socket); });
    auto sparse = open_sparse(bulk, socket);
    sockets.push_back({std::move(bulk), std::move(sparse)});
  }
  return sockets;
}

outside::RouteProbe open_route_probe(const options::LinkOptions& options,
                                     const host::Netns& where) {
  const host::NetnsScope scope(where);
  return outside::RouteProbe::open(options.fwmark);
}

void log_one_queue(const SystemError& error) {
  log_info("sparse flows share the thread of the others", {{"error", error.what()}});
}

struct LoadedSteering {
  std::optional<inside::Steering::Program> program;
  std::optional<SystemError> error;
};

LoadedSteering load_steering() {
  try {
    const host::Raised right(CAP_SYS_ADMIN);
    return {inside::Steering::load(), std::nullopt};
  } catch (const SystemError& error) {
    return {std::nullopt, error};
  }
}

// The program is attached first: without it the kernel would spread all flows over both queues.
std::optional<datapath::LaneEnds::SparseQueue> open_sparse_queue(
    const inside::Tun& queue, inside::Steering::Program program) {
  try {
    inside::Steering::attach(program, queue);
    auto second = queue.another_queue();
    second.attach(true);
    return datapath::LaneEnds::SparseQueue{std::move(second), std::move(program.map)};
  } catch (const SystemError& error) {
    log_one_queue(error);
    return std::nullopt;
  }
}

std::vector<datapath::LaneEnds> open_lanes(const options::LinkOptions& options,
                                           std::vector<Sockets> sockets) {
  // Several lanes have a thread each, and the kernel spreads the flows over them.
  const bool wants_steering = options.lanes == 1 && sockets.front().sparse;
  auto steering = wants_steering ? load_steering() : LoadedSteering{};
  const bool shared = options.lanes > 1 || steering.program;
  std::vector<datapath::LaneEnds> lanes;
  for (auto& pair : sockets) {
    const auto create = [&] { return inside::Tun::create(options.ifname, shared); };
    auto queue = lanes.empty() ? open_when_free(create) : lanes.front().tun.another_queue();
    lanes.push_back({std::move(pair.bulk), std::move(pair.sparse), std::move(queue)});
  }
  // If the interface cannot be made either, the link reports only that.
  if (steering.error) log_one_queue(*steering.error);
  if (steering.program) {
    auto& lane = lanes.front();
    lane.sparse_queue = open_sparse_queue(lane.tun, std::move(*steering.program));
  }
  return lanes;
}

// The first guess, before a peer is known. It is corrected before the carrier goes on.
unsigned first_mtu(const options::LinkOptions& options, const outside::RouteProbe& route_probe) {
  if (options.mtu) return *options.mtu;
  const auto suite = record::CipherSuite::aes_128_gcm;
  const bool v6_inside = options.has_family(false);
  const auto peer = options.peers.empty() ? std::nullopt : IpAddress::parse(options.peers[0].host);
  if (!peer) {
    const bool v4 = options.listen && options.listen->address && options.listen->address->is_v4();
    return datapath::inside_mtu(datapath::ethernet_mtu, v4, suite, v6_inside);
  }
  const auto outside = route_probe.look_up({*peer, options.peers[0].port});
  return datapath::inside_mtu(outside ? outside->now : datapath::ethernet_mtu, peer->is_v4(), suite,
                              v6_inside);
}

host::GuardianDuties guardian_duties(const options::LinkOptions& options) {
  return {options.nat,
          options.fwmark,
          options.table,
          options.routes,
          options.has_family(true),
          options.has_family(false),
          options.accepts_routed(),
          options.accepted_prefixes()};
}

// In the private namespace. `is_new`: the interface has no address, and the guardian no duty yet.
Ends join_ends(const options::LinkOptions& options, EarlyEnds early,
               std::vector<datapath::LaneEnds> lanes, outside::RouteProbe route_probe, unsigned mtu,
               bool is_new) {
  const std::string& ifname = lanes.front().tun.name();
  auto carrier = inside::Carrier::of(lanes.front().tun);
  host::Netlink netlink;
  if (is_new) {
    const bool has_queues = lanes.size() > 1 || lanes.front().sparse_queue;
    netlink.set_up({ifname, mtu, inside::queue_packets, options.addresses, options.routes,
                    options.table, has_queues});
  }
  host::LinkdownRoutes linkdown_routes(ifname);
  if (is_new && early.guardian) early.guardian->begin(ifname);
  std::optional<host::RefusedSources> refused_sources;
  if (options.accepts_routed()) refused_sources.emplace(ifname);
  return {std::move(early.worker_netns),
          std::move(*early.public_netns),
          std::move(*early.private_netns),
          std::move(early.guardian),
          std::move(lanes),
          std::move(route_probe),
          std::move(netlink),
          std::move(linkdown_routes),
          std::move(carrier),
          std::move(refused_sources),
          mtu,
          options.peers.empty()};
}

}  // namespace

EarlyEnds open_early_ends(const options::LinkOptions& options, std::optional<KeptLink>& kept) {
  EarlyEnds early;
  try {
    auto started_in = host::Netns::current();
    if (!started_in.same_as(host::Netns::of_start())) early.worker_netns = std::move(started_in);
    early.public_netns = namespace_of(options.public_netns, "--public-netns");
    early.private_netns = namespace_of(options.netns, "--netns");
    if (early.worker_netns) close_standard_input();
    if (kept) {
      if (const auto why = kept->misfit(options, *early.public_netns, *early.private_netns)) {
        log_warning("the running link is not taken over: a new one starts", {{"reason", *why}});
        kept->discard();
        kept.reset();
      }
    }
    const auto duties = guardian_duties(options);
    if (kept && kept->state().prefix.guardian_pid != 0) {
      early.guardian.emplace(kept->take_guardian());
    } else if (duties.any()) {
      early.guardian.emplace(host::Guardian::fork_early(duties, *early.private_netns));
    }
  } catch (const std::exception&) {
    early.failure = std::current_exception();
  }
  return early;
}

Ends open_ends(const options::LinkOptions& options, EarlyEnds early) {
  if (early.failure) std::rethrow_exception(early.failure);
  auto sockets = open_sockets(options, *early.public_netns);
  auto route_probe = open_route_probe(options, *early.public_netns);
  const unsigned mtu = first_mtu(options, route_probe);
  const host::NetnsScope scope(*early.private_netns);
  auto lanes = open_lanes(options, std::move(sockets));
  return join_ends(options, std::move(early), std::move(lanes), std::move(route_probe), mtu, true);
}

Ends take_ends(const options::LinkOptions& options, EarlyEnds early, KeptLink& kept) {
  if (early.failure) std::rethrow_exception(early.failure);
  auto route_probe = open_route_probe(options, *early.public_netns);
  const host::NetnsScope scope(*early.private_netns);
  auto lanes = kept.take_lanes(options.peers.empty());
  return join_ends(options, std::move(early), std::move(lanes), std::move(route_probe),
                   kept.state().mtu, false);
}

void Ends::restore_sockets() const {
  for (const auto& lane : lanes) {
    lane.socket.restore();
    if (!lane.sparse) continue;
    if (accepts) {
      lane.sparse->receive_nothing();
    } else {
      lane.sparse->restore();
    }
  }
}

void Ends::reset() const {
  restore_sockets();
  const auto attach = [](const inside::Tun& queue, bool attached) {
    try {
      queue.attach(attached);
    } catch (const SystemError&) {  // it is so already
    }
  };
  // The queue of sparse flows is attached last, because inside::Steering counts the queues in the
  // order of their attachment. Its packets are dropped: the worker before has not read them.
  const auto& sparse_queue = lanes.front().sparse_queue;
  if (sparse_queue) {
    inside::Steering(sparse_queue->steering).steer_all(false);
    attach(sparse_queue->tun, false);
  }
  for (const auto& lane : lanes) attach(lane.tun, &lane == &lanes.front());
  if (sparse_queue) attach(sparse_queue->tun, true);
}

}  // namespace routevpn::monitor
