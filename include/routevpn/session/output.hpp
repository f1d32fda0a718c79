// What a session asks its driver to do. The driver takes the outputs one by one and carries each
// out before it takes the next, because their order carries rules:
//
//   - InstallAssociation comes before the flight that lets the peer use the new keys.
//   - PathMtuChanged comes before the first CarrierOn.
//   - CarrierOff comes before the close_notify to the peer: nothing is sent into a link that the
//     peer has already closed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "routevpn/datapath/mailbox.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/session/failure.hpp"
#include "routevpn/session/state.hpp"

namespace routevpn::session {

struct SendHandshake {
  std::vector<std::uint8_t> datagram;
  outside::Endpoint to;
};
struct Resolve {  // answered by Session::on_resolved
  options::PeerAddress peer;
};
struct LookUpRoute {  // answered by Session::on_route
  SocketAddress remote;
};
struct CarrierOn {};
struct CarrierOff {};
struct StateChanged {
  Phase phase;
  Reason reason;
};
struct HandshakeFailed {
  SocketAddress peer;
  dtls::HandshakeFailure failure;
};
// An acceptor's confirmed peer has another address than before: keep it over a restart.
struct PeerRemembered {
  IpAddress address;
};
// The gasp of the association in use, for the monitor. It replaces the one before; without bytes
// there is none.
struct KeepGasp {
  datapath::DyingGasp gasp;
  outside::Endpoint to;
};
// An acceptor's socket of the sparse flow gets this peer.
struct ConnectSparse {
  SocketAddress remote;
};
// Another gateway with the same certificate took over the link: takeovers.hpp.
struct TakenOver {
  std::string certificate;          // the name in it; empty: this end's own
  SocketAddress from;               // the initiator that lost the link; default: this end
  std::optional<SocketAddress> to;  // none: the acceptor did not tell
  bool shared = false;              // repeated: two gateways share the certificate
};
struct PathMtuChanged {
  unsigned path_mtu;       // bytes of an outer packet, with IP header
  unsigned payload_bytes;  // what one record on that path has left for an inside packet
};

using Output = std::variant<SendHandshake, datapath::LaneCommand, Resolve, LookUpRoute, CarrierOn,
                            CarrierOff, StateChanged, HandshakeFailed, PathMtuChanged,
                            PeerRemembered, KeepGasp, ConnectSparse, TakenOver>;
using Outputs = std::deque<Output>;

}  // namespace routevpn::session
