// What `routevpn show --json` says of one link.
#pragma once

#include <string>

#include "routevpn/cli/link_options.hpp"
#include "routevpn/link/lane.hpp"
#include "routevpn/link/session.hpp"

namespace routevpn::link {

struct LinkFacts {
  const cli::LinkOptions& options;
  std::string link;
  std::string ifname;
  unsigned mtu = 0;
  std::optional<unsigned> path_mtu;
  SocketAddress local;
  bool carrier = false;
};

// One line, no newline. `now` is what both clocks say at this moment.
std::string status_json(const LinkFacts& facts, const SessionStatus& session,
                        const LaneCounters& lane, const DropCounters& control, Time now);

}  // namespace routevpn::link
