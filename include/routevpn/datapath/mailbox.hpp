// Between the control thread and a lane: commands down, events and handshake datagrams up.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <variant>

#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/datapath/control_message.hpp"
#include "routevpn/datapath/spsc_ring.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::datapath {

// Opens records with it from now on, besides those before it. `send_now`: seals with it too;
// otherwise from its first authentic record on.
struct InstallAssociation {
  std::unique_ptr<Association> association;
  bool send_now = false;
};
// Seals with it although nothing has come yet: a plain peer that waits for us to speak.
struct ActivateAssociation {
  AssociationId id = 0;
};
// Wipes it.
struct RetireAssociation {
  AssociationId id = 0;
};
struct SendControl {
  ControlMessage message;          // its stamp is the lane's to set
  std::uint32_t padded_bytes = 0;  // of the payload; 0: no padding
};
// What the path carries in one record: what is larger goes in pieces.
struct LimitPayload {
  std::uint32_t bytes = 0;
};
// RFC 5246 section 7.2.
inline constexpr std::uint8_t alert_warning = 1;
inline constexpr std::uint8_t alert_fatal = 2;
inline constexpr std::uint8_t alert_close_notify = 0;
struct SendAlert {
  std::uint8_t level = 0;
  std::uint8_t description = 0;
};
using LaneCommand = std::variant<std::monostate, InstallAssociation, ActivateAssociation,
                                 RetireAssociation, SendControl, SendAlert, LimitPayload>;

struct AssociationConfirmed {};  // its first authentic record has come
struct EchoReplied {
  std::uint32_t sequence = 0;
  Duration round_trip{};
  std::uint32_t received = 0;
};
struct RekeyRequested {};  // by the peer
struct RekeyDue {};        // by the number of records
struct LimitReached {};    // it may seal no more records, or has refused too many forgeries
struct AlertReceived {
  std::uint8_t level = 0;
  std::uint8_t description = 0;
};
struct PeerRoamed {
  outside::Endpoint to;
};
// Somebody sends data as if there were an association, and there is none. One of many.
struct RecordWithoutKeys {
  outside::Endpoint from;
};
// The shortest record that carries data: one byte of it.
inline constexpr std::size_t least_data_record = record::header_bytes + 1 + record::tag_bytes;
struct DatagramTooBig {  // by ICMP's word, or our own interface's
  outside::TooBig report;
};
struct InterfaceGone {};  // somebody deleted it

struct LaneEvent {
  AssociationId id = 0;
  std::variant<std::monostate, AssociationConfirmed, EchoReplied, RekeyRequested, RekeyDue,
               LimitReached, AlertReceived, PeerRoamed, DatagramTooBig, RecordWithoutKeys,
               InterfaceGone>
      what;
};

// The handshake records of one datagram.
struct HandshakeDatagram {
  outside::Endpoint from;
  std::uint32_t length = 0;
  std::array<std::uint8_t, 4096> bytes{};  // more than a flight that fits the MTU; longer: dropped
};

struct Mailbox {
  SpscRing<LaneCommand, 64> commands;
  SpscRing<LaneEvent, 256> events;
  SpscRing<HandshakeDatagram, 64> handshakes;
};

}  // namespace routevpn::datapath
