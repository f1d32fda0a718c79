// The messages between the monitor and its worker. Each is one datagram of a SOCK_SEQPACKET pair:
// one byte with the kind, then the fields below, always of the same size. The worker faces the
// network, so the monitor drops and counts every message that is not in this table, that has
// another size, a field out of its range, or that the worker may not send in its state.
//
//   worker to monitor      when                     answer
//   ready                  starting, once
//   set_carrier            running                  carrier_set
//   set_mtu                running                  mtu_set
//   ignore_dead_routes     running
//   resolve                running, one per lane    resolved, later
//   sign_part              running                  (precedes a sign of an Ed25519 message)
//   sign                   running                  signed_digest
//   announce               running
//   remember_peer          running
//   alive                  running, after a ping
//   ended                  running
//   keep_gasp              running
//   reloaded               running, one per reload
//   outlives               running, after an outlive
//   handed_over            running, after a hand_over; the worker's last message
//
// The worker is running from its ready on, also while it stops. Of a dead worker's messages, the
// monitor takes only announce, remember_peer, ended, keep_gasp, and a set_carrier to off.
//
//   monitor to worker      when
//   remembered_peer        before start
//   psk                    before start or reload
//   start                  once; brings the descriptors
//   outlive                the monitor ends, and another one takes its place
//   hand_over              another worker takes the place of this one
//   take_over              once, to a worker whose start says so; brings the state of the last one
//   reload                 at SIGHUP or a command; brings the files' new content
//   stop                   at SIGTERM, again at the next one
//   ping                   every 10 s
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routevpn/base/address.hpp"

namespace routevpn::channel {

#pragma pack(push, 1)  // without padding, which would hold bytes of the sender's stack

enum class Kind : std::uint8_t {
  ready = 1,
  set_carrier,
  set_mtu,
  ignore_dead_routes,
  resolve,
  sign_part,
  sign,
  announce,
  remember_peer,
  alive,
  ended,
  keep_gasp,
  reloaded,
  outlives,
  handed_over,
  carrier_set = 65,
  mtu_set,
  resolved,
  signed_digest,
  remembered_peer,
  psk,
  start,
  reload,
  stop,
  ping,
  outlive,
  hand_over,
  take_over,
};

// Of this table and of the state that a worker hands over. A worker and a monitor of two versions
// do not understand each other. Every change of a message or of a state's fields counts it up.
inline constexpr std::uint32_t version = 5;

// Text of at most `size` - 1 bytes, zeros behind it.
template <std::size_t size>
struct Text {
  std::array<char, size> bytes;

  static Text of(std::string_view text) {
    Text made{};
    text.copy(made.bytes.data(), size - 1);
    return made;
  }
  [[nodiscard]] std::string_view view() const {
    const std::string_view all(bytes.data(), size);
    return all.substr(0, all.find('\0'));
  }
};

struct Address {
  std::uint8_t version;  // 0: none, 4 or 6
  std::array<std::uint8_t, 16> bytes;
  std::uint16_t port;   // in host order
  std::uint32_t scope;  // interface index of a link-local IPv6 address; 0: none

  static Address of(const SocketAddress& address);
  static Address of(const IpAddress& address) { return of(SocketAddress{address, 0, 0}); }
  [[nodiscard]] std::optional<SocketAddress> get() const;  // none: also for another version
};

// --- worker to monitor ---

struct Ready {
  static constexpr Kind kind = Kind::ready;
};
struct SetCarrier {
  static constexpr Kind kind = Kind::set_carrier;
  std::uint8_t on;
};
struct SetMtu {
  static constexpr Kind kind = Kind::set_mtu;
  std::uint32_t bytes;
};
// Routes of the interface are dead while it has no carrier.
struct IgnoreDeadRoutes {
  static constexpr Kind kind = Kind::ignore_dead_routes;
};
// Asks for the address of a peer of the options. The worker gives a number, so it cannot choose the
// name.
struct ResolvePeer {
  static constexpr Kind kind = Kind::resolve;
  std::uint8_t lane;
  std::uint8_t peer;  // counted from 0
};
inline constexpr std::size_t sign_part_bytes = 1024;
struct SignPart {
  static constexpr Kind kind = Kind::sign_part;
  std::uint16_t length;
  std::array<std::uint8_t, sign_part_bytes> bytes;
};
inline constexpr std::size_t most_digest_bytes = 48;
struct Sign {
  static constexpr Kind kind = Kind::sign;
  std::uint8_t key;     // Start::key or Reload::key
  std::uint8_t scheme;  // signer::SignScheme
  std::uint8_t digest;  // signer::SignDigest
  std::uint8_t length;  // of the digest; 0 for an Ed25519 message, whose parts came before
  std::array<std::uint8_t, most_digest_bytes> bytes;
};
enum class LinkState : std::uint8_t { down, connecting, up };
// A change of the link's state, for --on-state and the service manager.
struct Announce {
  static constexpr Kind kind = Kind::announce;
  LinkState state;
  Text<32> reason;  // one word: a-z, 0-9 and '_'
  Text<256> text;   // printable
  Address peer;     // may be none
};
struct RememberPeer {
  static constexpr Kind kind = Kind::remember_peer;
  std::uint8_t lane;
  Address peer;
};
struct Alive {
  static constexpr Kind kind = Kind::alive;
};
struct Ended {
  static constexpr Kind kind = Kind::ended;
  std::uint8_t as_asked;  // 0: the link cannot go on
};

// The last datagram of a lane, for its worker's death: datapath::DyingGasp.
inline constexpr std::size_t most_gasp_bytes = 64;
struct KeepGasp {
  static constexpr Kind kind = Kind::keep_gasp;
  std::uint8_t lane;
  std::uint8_t length;  // 0: none
  std::array<std::uint8_t, most_gasp_bytes> bytes;
  Address remote;
  Address local;  // may be none
};

// A worker that cannot take new credentials ends instead.
struct Reloaded {
  static constexpr Kind kind = Kind::reloaded;
  std::uint8_t taken;    // 0: the log has the reason
  std::uint32_t number;  // Reload::number
};

// The worker lives on when the monitor ends.
struct Outlives {
  static constexpr Kind kind = Kind::outlives;
};
// The worker has stopped its lanes and ends. Its state is in the memory that its start brought.
struct HandedOver {
  static constexpr Kind kind = Kind::handed_over;
  std::uint8_t done;  // 0: there is no state; the log has the reason
};

// --- monitor to worker ---

struct CarrierSet {
  static constexpr Kind kind = Kind::carrier_set;
};
struct MtuSet {
  static constexpr Kind kind = Kind::mtu_set;
  std::uint32_t bytes;  // the interface's MTU now
};
inline constexpr std::size_t most_addresses = 8;
inline constexpr std::size_t most_error_bytes = 200;
struct Resolved {
  static constexpr Kind kind = Kind::resolved;
  std::uint8_t lane;
  std::array<Address, most_addresses> addresses;  // the first without version ends the list
  Text<most_error_bytes + 1> error;               // without addresses: why
};
inline constexpr std::size_t most_signature_bytes = 1024;
struct SignedDigest {
  static constexpr Kind kind = Kind::signed_digest;
  std::uint16_t length;  // 0: refused
  std::array<std::uint8_t, most_signature_bytes> bytes;
};
struct RememberedPeer {
  static constexpr Kind kind = Kind::remembered_peer;
  std::uint8_t lane;
  Address peer;
};
inline constexpr std::size_t psk_secret_bytes = 32;
struct PskSecrets {
  static constexpr Kind kind = Kind::psk;
  std::array<std::uint8_t, psk_secret_bytes> envelope;
  std::array<std::uint8_t, psk_secret_bytes> traffic;
};
// The files, each a descriptor: options, certificates, CAs, CRLs. With a start these follow: the
// listening control socket, the look-up sockets of IPv4 and IPv6 (/dev/null for a missing one), the
// empty root, the memory for the worker's state (memfd), and for each lane the UDP socket, that of
// the sparse flow (/dev/null for a missing one) and the queue of the interface. With
// Start::sparse_queue two more follow: the queue of sparse flows and the map of inside::Steering.
inline constexpr std::size_t files_of_reload = 4;
inline constexpr std::size_t descriptors_before_lanes = files_of_reload + 5;
inline constexpr std::size_t state_bytes = std::size_t{1} << 20;  // of the memory for the state
inline constexpr std::size_t most_lanes = 16;
inline constexpr std::size_t descriptors_of_lane = 3;
inline constexpr std::size_t descriptors_of_sparse_queue = 2;  // only of a link with one lane
inline constexpr std::size_t most_descriptors =
    descriptors_before_lanes + descriptors_of_lane * most_lanes;
struct Start {
  static constexpr Kind kind = Kind::start;
  Text<112> link;
  Text<16> ifname;
  std::uint32_t mtu;
  std::uint32_t lanes;
  std::uint8_t socket_is_v4;
  std::uint8_t udp_offload;
  std::uint8_t lookup_v4;  // the look-up socket is there
  std::uint8_t lookup_v6;
  std::uint16_t sparse_sockets;  // bit i: lane i's is there
  std::uint8_t sparse_queue;     // 1: that of lane 0 is there
  std::uint8_t key;              // the number of the credentials
  std::uint8_t confined;         // 0: --no-sandbox
  std::uint8_t may_outlive;      // 1: the monitor may send Outlive
  std::uint8_t takes_over;       // 1: a TakeOver follows the worker's Ready
  std::uint32_t uid;             // the user of a confined worker
  std::uint32_t gid;
  std::int32_t monitor_pid;
  std::int64_t settings_read;     // see Reload
  std::uint64_t worker_starts;    // with this one
  std::uint64_t flaps;            // of the carrier, so far
  std::uint64_t refused_sources;  // see Ping
};
struct Reload {
  static constexpr Kind kind = Kind::reload;
  std::uint8_t key;              // the number of the credentials
  std::uint8_t new_credentials;  // 0: only the options have changed
  std::uint32_t number;          // counted from 1
  std::int64_t settings_read;    // all of the configuration file was taken then; Unix time
};
struct Stop {
  static constexpr Kind kind = Kind::stop;
};
struct Outlive {
  static constexpr Kind kind = Kind::outlive;
};
struct HandOver {
  static constexpr Kind kind = Kind::hand_over;
};
// Brings the memory of the worker before, which nothing can change any more.
struct TakeOver {
  static constexpr Kind kind = Kind::take_over;
  std::uint8_t new_credentials;  // 1: they differ from those of the worker before
};
struct Ping {
  static constexpr Kind kind = Kind::ping;
  std::uint64_t refused_sources;  // packets that the kernel has dropped for --accept routed, so far
};

#pragma pack(pop)

}  // namespace routevpn::channel
