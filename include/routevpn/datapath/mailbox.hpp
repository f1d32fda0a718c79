// The queues between the control thread and a lane. Commands go to the lane; events and handshake
// datagrams go to the control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/datapath/control_message.hpp"
#include "routevpn/datapath/handshake_queue.hpp"
#include "routevpn/datapath/keepalives.hpp"
#include "routevpn/datapath/prefix_set.hpp"
#include "routevpn/datapath/spsc_ring.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::datapath {

// Opens records with this association from now on, and with the earlier ones as before. Seals with
// it at once if send_now is set, otherwise after its first authentic record.
struct InstallAssociation {
  std::unique_ptr<Association> association;
  bool send_now = false;
};
// Seals with an association before its first authentic record, because a plain DTLS peer may wait
// for our first packet.
struct ActivateAssociation {
  AssociationId id = 0;
};
// Removes an association and wipes its keys.
struct RetireAssociation {
  AssociationId id = 0;
};
struct SendControl {
  ControlMessage message;          // the lane sets its stamp
  std::uint32_t padded_bytes = 0;  // length of the payload; 0: no padding
};
// The initiator's next request of the sparse flow: sparse_flow.hpp.
struct ProbeSparseFlow {};
// The largest payload of a record on this path. Larger packets are fragmented.
struct LimitPayload {
  std::uint32_t bytes = 0;
};
// Handshake datagrams from this address, with any port, may use the slots kept for the peer. The
// lane treats the endpoints of associations so without this command.
struct ExpectPeer {
  IpAddress address;
};
// Replaces LanePolicy::sources.
struct AcceptSources {
  std::shared_ptr<const PrefixSet> sources;  // never null
};
// RFC 5246 section 7.2.
inline constexpr std::uint8_t alert_warning = 1;
inline constexpr std::uint8_t alert_fatal = 2;
inline constexpr std::uint8_t alert_close_notify = 0;
struct SendAlert {
  std::uint8_t level = 0;
  std::uint8_t description = 0;
  AssociationId id = 0;  // 0: the association that seals
};
using LaneCommand = std::variant<std::monostate, InstallAssociation, ActivateAssociation,
                                 RetireAssociation, SendControl, SendEcho, SendAlert,
                                 ProbeSparseFlow, LimitPayload, ExpectPeer, AcceptSources>;

struct AssociationConfirmed {};  // the first authentic record arrived
struct EchoReplied {
  std::uint32_t sequence = 0;
  Duration round_trip{};
  std::uint32_t received = 0;
  std::optional<Time> sent;  // the request, if it is one of a series (keepalives.hpp)
};
struct RekeyRequested {};  // by the peer
struct RekeyDue {};        // because of the number of records
struct LimitReached {};    // all records sealed, or too many records failed to authenticate
struct AlertReceived {
  std::uint8_t level = 0;
  std::uint8_t description = 0;
  bool is_gasp = false;  // see DyingGasp
};
struct PeerRoamed {
  outside::Endpoint to;
};
// Where the peer's end of the sparse flow is now; none: the flow is lost.
struct SparseFlowChanged {
  std::optional<outside::Endpoint> to;
};
// A data record arrived and there is no association. Reported at most every 20 ms for a source.
struct RecordWithoutKeys {
  outside::Endpoint from;
};
// The shortest record with data: one byte.
inline constexpr std::size_t least_data_record = record::header_bytes + 1 + record::tag_bytes;
struct DatagramTooBig {  // reported by ICMP or by our own interface
  outside::TooBig report;
};
struct DatagramUndelivered {  // reported by ICMP, at most every 10 ms
  outside::Undelivered report;
};
struct InterfaceGone {};  // the TUN interface was deleted

struct LaneEvent {
  AssociationId id = 0;
  std::variant<std::monostate, AssociationConfirmed, EchoReplied, EchoMissing, RequestMissing,
               RekeyRequested, RekeyDue, LimitReached, AlertReceived, PeerRoamed, SparseFlowChanged,
               DatagramTooBig, DatagramUndelivered, RecordWithoutKeys, InterfaceGone>
      what;
};

struct Mailbox {
  SpscRing<LaneCommand, 64> commands;
  SpscRing<LaneEvent, 256> events;
  HandshakeQueue handshakes;
};

}  // namespace routevpn::datapath
