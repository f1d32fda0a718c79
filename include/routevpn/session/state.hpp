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
// Every phase leads to stopped. The carrier is on in phase `up` only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "routevpn/dtls/handshake.hpp"

namespace routevpn::session {

using dtls::Role;

// clang-format off
#define ROUTEVPN_PHASES(X)                                                       \
  X(idle)         /* not started */                                              \
  X(resolving)    /* the peer's name is being resolved */                        \
  X(handshaking)  /* the first association is being made */                      \
  X(backing_off)  /* waits before the next attempt */                            \
  X(waiting)      /* an acceptor without association */                          \
  X(confirming)   /* there are keys; no authentic record has come yet */         \
  X(damped)       /* the link works, but after flaps the carrier is held back */ \
  X(up)                                                                          \
  X(stopped)

#define ROUTEVPN_EVENTS(X)                                                       \
  X(start)                                                                       \
  X(resolved)                                                                    \
  X(resolve_failed)                                                              \
  X(established)         /* a handshake was completed */                         \
  X(handshake_failed)    /* the initiator's */                                   \
  X(confirmed)           /* the newest association has carried a record */       \
  X(confirmed_early)     /* the same, too soon after a flap for the carrier */   \
  X(stable)              /* a damped link has worked for as long as required */  \
  X(silence)             /* no authentic record for dead-after */                \
  X(peer_closed)         /* authentic close_notify or fatal alert */             \
  X(peer_refused)        /* reloaded credentials refuse the peer's certificate */ \
  X(expired)             /* twice --rekey, or the peer's certificate, is over */ \
  X(limit_reached)       /* the association may carry no more records */         \
  X(retry_due)                                                                   \
  X(retry_next_address)  /* the same, and the peer has another address to try */ \
  X(rekey_due)                                                                   \
  X(stop)
// clang-format on

#define ROUTEVPN_ENUMERATOR(name) name,
enum class Phase : std::uint8_t { ROUTEVPN_PHASES(ROUTEVPN_ENUMERATOR) };
enum class Event : std::uint8_t { ROUTEVPN_EVENTS(ROUTEVPN_ENUMERATOR) };
#undef ROUTEVPN_ENUMERATOR
inline constexpr std::size_t phase_count = static_cast<std::size_t>(Phase::stopped) + 1;
inline constexpr std::size_t event_count = static_cast<std::size_t>(Event::stop) + 1;

enum class Action : std::uint8_t {
  resolve,
  begin_handshake,
  schedule_retry,
  carrier_on,
  carrier_off,
  hold_carrier,       // until `stable`
  tell_peer,          // close_notify
  drop_associations,  // wipe all keys
  begin_rekey,        // a handshake beside the association in use
  request_rekey,      // the acceptor asks the initiator for a rekey
  schedule_rekey,     // after a failed attempt
};

struct Transition {
  Phase next;
  bool expected;  // false: the event has no meaning in this phase; it is counted and ignored
  std::span<const Action> actions;
};
Transition step(Role role, Phase phase, Event event);

std::string_view name_of(Phase phase);
std::string_view name_of(Event event);
// What users see: up, connecting or down.
std::string_view public_state(Phase phase);

}  // namespace routevpn::session
