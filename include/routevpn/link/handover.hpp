// What the monitor hands to its worker: options, credentials without keys, and descriptors.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routevpn/datapath/lane_ends.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/link/handed_state.hpp"
#include "routevpn/link/monitor_client.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/outside/route_mtu.hpp"

namespace routevpn::link {

// What the files of a start or a reload contain.
struct FileContents {
  options::LinkOptions options;
  std::string certificates;
  std::string authorities;
  std::string revocations;
};

struct Handover {
  channel::Start start;
  std::string link;
  std::string ifname;
  FileContents files;
  dtls::Psks psks;
  std::vector<std::optional<IpAddress>> last_peers;  // one for each lane
  Fd control_socket;                                 // it listens
  outside::RouteProbe route_probe;
  Fd empty_root;
  StateMemory memory;                     // for the hand-over to the next worker
  std::vector<datapath::LaneEnds> lanes;  // at least one
};

// Waits for the monitor's Start. Throws SystemError.
Handover receive_handover(MonitorClient& monitor);

// Of a channel::PskSecrets, which comes before a Start or a Reload; nullptr: of another kind.
// Leaves no other copy on the stack.
dtls::PskPtr psk_of(const channel::Message& message);
// Of a Reload's descriptors. Throws SystemError or UsageErrors.
FileContents read_files(std::span<const Fd> descriptors);

// Signatures are made by the monitor with the key of this number. Throws as Identity::make().
std::shared_ptr<const dtls::Identity> make_identity(const FileContents& files, dtls::Psks psks,
                                                    std::uint8_t key, MonitorClient& monitor);

}  // namespace routevpn::link
