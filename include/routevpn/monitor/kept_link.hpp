// A running link that a monitor leaves with the service manager, for the monitor that follows: the
// descriptors of its ends, its worker and its guardian, and the rest of the monitor's state. The
// worker goes on meanwhile, so packets pass while the service restarts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/channel/messages.hpp"
#include "routevpn/host/guardian.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/monitor/ends.hpp"
#include "routevpn/monitor/gasps.hpp"
#include "routevpn/monitor/worker_process.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::monitor {

// What ends a kept link in order: the peer gets the gasps, the worker is killed, and the end of the
// guardian is awaited. A monitor of every version reads it, so neither this layout nor the names of
// the descriptors in kept_link.cpp may change. Numbers are in network order.
//
//     | "rvpn" | version, 4 | worker's pid, 4, and uid, 4 | guardian's pid, 4; 0: none |
//     | sockets are IPv4, 1 | traffic class of the gasps, 1 | number of lanes, 4 |
//     for each lane:
//     | bytes, 4; 0: none | gasp | to: address, port, 2, scope, 4 | 1 | local address |, or | 0 |
//
// An address is | is IPv4, 1 | bytes, 16 |, those of IPv4 first.
struct KeptPrefix {
  static constexpr std::uint32_t wanted_magic = 0x7276706e;

  std::uint32_t magic = wanted_magic;
  std::uint32_t version = channel::version;  // of what follows the prefix
  std::int32_t worker_pid = 0;
  std::uint32_t worker_uid = 0;
  std::int32_t guardian_pid = 0;
  bool socket_is_v4 = false;
  std::uint8_t traffic_class = 0;
  std::vector<Gasp> gasps;  // one for each lane

  template <typename Io>
  friend void fields(Io& io, KeptPrefix& prefix) {
    io(prefix.magic, prefix.version, prefix.worker_pid, prefix.worker_uid, prefix.guardian_pid,
       prefix.socket_is_v4, prefix.traffic_class, prefix.gasps);
  }
};

struct KeptState {
  KeptPrefix prefix;
  std::string options;      // as lasting_options()
  std::string credentials;  // all texts
  std::string ifname;
  std::uint64_t public_netns = 0;  // Netns::inode()
  std::uint64_t private_netns = 0;
  bool udp_offload = false;
  unsigned mtu = 0;  // of the interface
  bool carrier = false;
  std::uint64_t flaps = 0;
  std::uint8_t key = 0;  // the number of the credentials
  std::uint32_t reloads_told = 0;
  std::uint32_t reloads_answered = 0;
  bool answered = true;  // the worker's last ping
  bool routes_ignored = false;
  channel::LinkState announced = channel::LinkState::down;
  std::string status;  // for the service manager
  host::Guardian::Leftovers leftovers;

  template <typename Io>
  friend void fields(Io& io, KeptState& state) {
    io(state.prefix, state.options, state.credentials, state.ifname, state.public_netns,
       state.private_netns, state.udp_offload, state.mtu, state.carrier, state.flaps, state.key,
       state.reloads_told, state.reloads_answered, state.answered, state.routes_ignored,
       state.announced, state.status, state.leftovers);
  }
};

// The options as text, without those that a new worker can apply to associations of the one before.
std::string lasting_options(options::LinkOptions options);

// A worker that may outlive its monitor could be an intruder's. If the monitor is killed, the next
// monitor of the service ends the worker that this names.
void store_worker(const WorkerProcess& worker);

// Leaves the link. False: the service manager does not keep all of it. It then keeps what
// store_worker() stores, as before. Throws SystemError, before it stores anything.
bool keep_link(KeptState state, const Ends& ends, const WorkerProcess& worker);

class KeptLink {
 public:
  KeptLink(KeptLink&&) = default;
  KeptLink& operator=(KeptLink&&) = delete;
  ~KeptLink();  // discards the link, unless its worker was taken

  // None: the service manager has kept none, or not even the prefix of its state. It keeps nothing
  // afterwards. A worker of this user that a killed monitor has left is ended.
  static std::optional<KeptLink> take(uid_t uid);
  // Why the link cannot go on with these options in these namespaces; none: it can.
  [[nodiscard]] std::optional<std::string> misfit(const options::LinkOptions& options,
                                                  const host::Netns& public_netns,
                                                  const host::Netns& private_netns) const;
  // Ends the link at once: the peer gets the gasps. Returns when its interface, rules and NAT are
  // gone.
  void discard();

  // Without misfit() all of it, else only the prefix.
  [[nodiscard]] const KeptState& state() const { return state_; }
  host::Guardian take_guardian();  // if there is one: KeptPrefix::guardian_pid
  std::vector<datapath::LaneEnds> take_lanes(bool accepts);
  std::unique_ptr<WorkerProcess> take_worker();

 private:
  KeptLink() = default;
  struct Descriptor {
    std::string name;
    Fd fd;
  };
  [[nodiscard]] Fd take_descriptor(const std::string& name);  // empty: there is none
  [[nodiscard]] bool has(const std::string& name) const;
  bool read(const Fd& file);
  void end_worker(uid_t uid);
  void send_gasps();

  KeptState state_;
  bool has_state_ = false;  // of this version, and complete
  std::vector<Descriptor> descriptors_;
};

}  // namespace routevpn::monitor
