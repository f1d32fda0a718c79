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

struct KeptState {
  std::uint32_t version = channel::version;
  std::string options;      // as lasting_options()
  std::string credentials;  // all texts
  std::string ifname;
  std::uint64_t public_netns = 0;  // Netns::inode()
  std::uint64_t private_netns = 0;
  bool udp_offload = false;
  bool socket_is_v4 = false;
  unsigned mtu = 0;  // of the interface
  bool carrier = false;
  std::uint64_t flaps = 0;
  std::uint8_t key = 0;  // the number of the credentials
  std::uint32_t reloads = 0;
  bool answered = true;  // the worker's last ping
  bool routes_ignored = false;
  channel::LinkState announced = channel::LinkState::down;
  std::string status;  // for the service manager
  std::int32_t worker_pid = 0;
  std::uint32_t worker_uid = 0;
  std::int32_t guardian_pid = 0;
  host::Guardian::Leftovers leftovers;
  std::vector<Gasp> gasps;         // one for each lane
  std::uint8_t traffic_class = 0;  // of the gasps' datagrams

  template <typename Io>
  friend void fields(Io& io, KeptState& state) {
    io(state.version, state.options, state.credentials, state.ifname, state.public_netns,
       state.private_netns, state.udp_offload, state.socket_is_v4, state.mtu, state.carrier,
       state.flaps, state.key, state.reloads, state.answered, state.routes_ignored, state.announced,
       state.status, state.worker_pid, state.worker_uid, state.guardian_pid, state.leftovers,
       state.gasps, state.traffic_class);
  }
};

// The options as text, without those that a new worker can apply to associations of the one before.
std::string lasting_options(options::LinkOptions options);

// A worker that may outlive its monitor could be an intruder's. If the monitor is killed, the next
// monitor of the service ends the worker that this names.
void store_worker(const WorkerProcess& worker);

// Leaves the link. False: the service manager does not keep all of it, and keeps nothing then.
bool keep_link(KeptState state, const Ends& ends, const WorkerProcess& worker);

class KeptLink {
 public:
  // None: the service manager has kept none. It keeps nothing afterwards. A worker of this user
  // that a killed monitor has left is ended.
  static std::optional<KeptLink> take(uid_t uid);
  // Why the link cannot go on with these options in these namespaces; none: it can.
  [[nodiscard]] std::optional<std::string> misfit(const options::LinkOptions& options,
                                                  const host::Netns& public_netns,
                                                  const host::Netns& private_netns) const;
  // Ends the link at once: the peer gets the gasps. Returns when its interface, rules and NAT are
  // gone.
  void discard();

  [[nodiscard]] const KeptState& state() const { return state_; }
  host::Guardian take_guardian();  // if there is one: KeptState::guardian_pid
  std::vector<datapath::LaneEnds> take_lanes(bool accepts);
  std::unique_ptr<WorkerProcess> take_worker();

 private:
  struct Descriptor {
    std::string name;
    Fd fd;
  };
  [[nodiscard]] Fd take_descriptor(const std::string& name);  // empty: there is none
  [[nodiscard]] bool has(const std::string& name) const;
  void end_worker(uid_t uid);
  void send_gasps();

  KeptState state_;
  std::vector<Descriptor> descriptors_;
};

}  // namespace routevpn::monitor
