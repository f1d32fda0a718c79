// The JSON object that `routevpn show --json` prints for one link.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/datapath/lane.hpp"
#include "routevpn/link/expiry.hpp"
#include "routevpn/link/history.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::link {

struct LinkFacts {
  const options::LinkOptions& options;
  std::string link;
  std::string ifname;
  unsigned mtu = 0;
  std::optional<unsigned> path_mtu;
  bool carrier = false;
  std::uint64_t flaps = 0;
  Time since{};                    // its state is what it is
  std::size_t reporting_lane = 0;  // the lane whose state is the link's
  pid_t monitor_pid = 0;
  std::chrono::sys_seconds settings_read{};  // channel::Reload
  std::uint64_t worker_starts = 0;
  std::uint64_t refused_system_calls = 0;
  std::uint64_t refused_sources = 0;  // inner packets that the kernel has dropped
  const dtls::Identity& identity;
  std::vector<Ending> endings;  // of the credentials and the peer's certificate
  const History& history;
};

struct LaneFacts {
  session::SessionStatus session;
  const datapath::LaneCounters& counters;
  const DropCounters& control_drops;
  SocketAddress local;
  SocketAddress sparse_local;  // of the sparse flow
};

// One line without newline. `now`: the current time.
std::string status_json(const LinkFacts& facts, std::span<const LaneFacts> lanes, Time now);

}  // namespace routevpn::link
