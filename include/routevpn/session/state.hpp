// The life of a link's session as a pure function: (role, phase, event) -> (phase, actions).
//
//   initiator:  idle -> resolving -> handshaking -> confirming (-> damped) -> up
//                          ^            |               |            |         |
//                          +-- backing_off <------------+------------+---------+
//
//   acceptor:   idle -> waiting -> confirming (-> damped) -> up
//                          ^           |             |        |
//                          +-----------+-------------+--------+
//
// and from anywhere to stopped. The carrier is on in `up` and nowhere else.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "routevpn/dtls/handshake.hpp"

namespace routevpn::session {

using dtls::Role;

enum class Phase : std::uint8_t {
  idle,         // not started
  resolving,    // asking for the peer's address
  handshaking,  // the first association is being made
  backing_off,  // waiting before the next attempt
  waiting,      // an acceptor without association
  confirming,   // there are keys; nothing authentic has come yet
  damped,       // all is well, but after flaps the carrier is held back
  up,
  stopped,
  count_
};
inline constexpr std::size_t phase_count = static_cast<std::size_t>(Phase::count_);

enum class Event : std::uint8_t {
  start,
  resolved,
  resolve_failed,
  established,       // a handshake was completed
  handshake_failed,  // ours, as initiator
  confirmed,         // the newest association has carried an authentic record
  confirmed_early,   // the same, too soon after a flap for the carrier to return
  stable,            // it has been well for as long as it had to
  silence,           // nothing authentic for dead-after
  peer_closed,       // close_notify or a fatal alert, authentic
  peer_revoked,      // our new CRL has its certificate
  limit_reached,     // the association may carry no more
  retry_due,
  renewal_due,
  stop,
  count_
};
inline constexpr std::size_t event_count = static_cast<std::size_t>(Event::count_);

enum class Action : std::uint8_t {
  resolve,
  begin_handshake,
  schedule_retry,
  carrier_on,
  carrier_off,
  hold_carrier,       // until `stable`
  tell_peer,          // close_notify
  drop_associations,  // wipe all keys
  begin_renewal,      // a handshake beside the association in use
  request_renewal,    // an acceptor asks the initiator for one
  schedule_renewal,   // the next attempt at it
};

struct Transition {
  Phase next;
  bool expected;  // false: the event means nothing in this phase; it is counted and ignored
  std::span<const Action> actions;
};
Transition step(Role role, Phase phase, Event event);

std::string_view name_of(Phase phase);
std::string_view name_of(Event event);
// What users see: up, connecting or down.
std::string_view public_state(Phase phase);

}  // namespace routevpn::session
