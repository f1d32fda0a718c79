// The places of an acceptor's half-open handshakes: which one a new handshake evicts. Pure.
//
//   - The peer's last address has places of its own. Only the peer's handshakes evict the peer's.
//   - A /24 (IPv6: /64) holds at most a quarter of the other places, a /16 (IPv6: /48) half of
//   them.
//     A network that holds its share evicts its own oldest handshake.
//   - A full table has a half for first contacts and a half for others. A half that is used up
//     evicts its own oldest handshake. So a flood from networks that were admitted before leaves
//     first contacts the time of several round trips.
//   - A handshake whose peer has proved that it holds the key of a valid certificate is never
//     evicted. A datagram of the peer's second flight is not enough: any source can send a part of
//     such a flight, with the certificates that it read on the path.
#pragma once

#include <optional>
#include <span>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"

namespace routevpn::session {

inline constexpr std::size_t max_half_open = 16;
inline constexpr std::size_t max_half_open_of_peer = 4;
inline constexpr std::size_t max_half_open_of_network = max_half_open / 4;
inline constexpr std::size_t max_half_open_of_wide_network = max_half_open / 2;

struct HalfOpen {
  SocketAddress source;
  Time begun;
  bool of_peer = false;  // from the peer's last address
  bool first_contact = false;
  bool proved_key = false;
};

struct Place {
  bool granted = false;
  std::optional<SocketAddress> evicted{};  // this handshake ends first
};
Place place_for(const HalfOpen& newcomer, std::span<const HalfOpen> table);

}  // namespace routevpn::session
