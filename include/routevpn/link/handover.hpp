// What the monitor hands to its worker: options, credentials without keys, and descriptors.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/dtls/identity.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/link/monitor_client.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/outside/route_mtu.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::link {

struct LaneEnds {
  outside::UdpSocket socket;
  inside::Tun tun;  // one queue of the interface; at first only lane 0's is attached
};

// The files of a start or a reload.
struct HandedFiles {
  options::LinkOptions options;
  std::string certificates;
  std::string authorities;
  std::string revocations;
};

struct Handover {
  channel::Start start;
  std::string link;
  std::string ifname;
  HandedFiles files;
  dtls::Psks psks;
  std::vector<std::optional<IpAddress>> last_peers;  // one for each lane
  Fd control_socket;                                 // it listens
  outside::RouteProbe route_probe;
  Fd empty_root;
  std::vector<LaneEnds> lanes;  // at least one
};

// Waits for the monitor's Start. Throws SystemError.
Handover receive_handover(MonitorClient& monitor);

// PSKs that came before a Reload.
// Of a channel::PskSecrets, nullptr: of another kind. Leaves no other copy on the stack.
dtls::PskPtr psk_of(const channel::Message& message);
// Of a Reload's descriptors. Throws SystemError or UsageErrors.
HandedFiles read_files(std::span<const Fd> descriptors);

// Signatures are made by the monitor with the key of this number. Throws as Identity::make().
std::shared_ptr<const dtls::Identity> make_identity(const HandedFiles& files, dtls::Psks psks,
                                                    std::uint8_t key, MonitorClient& monitor);

}  // namespace routevpn::link
