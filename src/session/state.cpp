#include "routevpn/session/state.hpp"

namespace routevpn::session {

namespace {

using A = Action;

constexpr std::array ask{A::resolve};
constexpr std::array handshake{A::begin_handshake};
constexpr std::array retry{A::schedule_retry};
constexpr std::array lights_on{A::carrier_on};
constexpr std::array hold{A::hold_carrier};
// The carrier goes first: what reacts to it need not wait for the peer, and sends nothing more that
// the peer, once told, would not take.
constexpr std::array lost_initiator{A::carrier_off, A::tell_peer, A::drop_associations,
                                    A::schedule_retry};
constexpr std::array lost_acceptor{A::carrier_off, A::tell_peer, A::drop_associations};
constexpr std::array stopping{A::carrier_off, A::tell_peer};
constexpr std::array renew{A::begin_renewal};
constexpr std::array ask_renewal{A::request_renewal};
constexpr std::array renew_later{A::schedule_renewal};

Transition ignored(Phase phase) {
  return {phase, false, {}};
}
Transition stay(Phase phase, std::span<const Action> actions = {}) {
  return {phase, true, actions};
}
Transition go(Phase next, std::span<const Action> actions = {}) {
  return {next, true, actions};
}

Transition lost(Role role) {
  return role == Role::initiator ? go(Phase::backing_off, lost_initiator)
                                 : go(Phase::waiting, lost_acceptor);
}

Transition when_confirming(Role role, Event event) {
  switch (event) {
    case Event::confirmed:
      return go(Phase::up, lights_on);
    case Event::confirmed_early:
      return go(Phase::damped, hold);
    case Event::established:
      return stay(Phase::confirming);
    case Event::silence:
    case Event::peer_closed:
    case Event::peer_revoked:
    case Event::limit_reached:
      return lost(role);
    default:
      return ignored(Phase::confirming);
  }
}

// Up or damped: both have an association that works.
Transition when_working(Role role, Phase phase, Event event) {
  switch (event) {
    case Event::stable:
      return phase == Phase::damped ? go(Phase::up, lights_on) : ignored(phase);
    case Event::established:
    case Event::confirmed:
    case Event::confirmed_early:
      return stay(phase);
    case Event::silence:
    case Event::peer_closed:
    case Event::peer_revoked:
    case Event::limit_reached:
      return lost(role);
    case Event::renewal_due:
      return stay(phase, role == Role::initiator ? std::span(renew) : std::span(ask_renewal));
    case Event::handshake_failed:
      return role == Role::initiator ? stay(phase, renew_later) : ignored(phase);
    default:
      return ignored(phase);
  }
}

}  // namespace

Transition step(Role role, Phase phase, Event event) {
  if (event == Event::stop && phase != Phase::stopped) return go(Phase::stopped, stopping);
  switch (phase) {
    case Phase::idle:
      if (event != Event::start) return ignored(phase);
      return role == Role::initiator ? go(Phase::resolving, ask) : go(Phase::waiting);
    case Phase::resolving:
      if (event == Event::resolved) return go(Phase::handshaking, handshake);
      if (event == Event::resolve_failed) return go(Phase::backing_off, retry);
      return ignored(phase);
    case Phase::handshaking:
      if (event == Event::established) return go(Phase::confirming);
      if (event == Event::handshake_failed) return go(Phase::backing_off, retry);
      return ignored(phase);
    case Phase::backing_off:
      return event == Event::retry_due ? go(Phase::resolving, ask) : ignored(phase);
    case Phase::waiting:
      return event == Event::established ? go(Phase::confirming) : ignored(phase);
    case Phase::confirming:
      return when_confirming(role, event);
    case Phase::damped:
    case Phase::up:
      return when_working(role, phase, event);
    case Phase::stopped:
    case Phase::count_:
      break;
  }
  return ignored(phase);
}

std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, phase_count> names = {
      "idle",       "resolving", "handshaking", "backing_off", "waiting",
      "confirming", "damped",    "up",          "stopped"};
  return names[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Event event) {
  constexpr std::array<std::string_view, event_count> names = {
      "start",        "resolved",        "resolve_failed", "established", "handshake_failed",
      "confirmed",    "confirmed_early", "stable",         "silence",     "peer_closed",
      "peer_revoked", "limit_reached",   "retry_due",      "renewal_due", "stop"};
  return names[static_cast<std::size_t>(event)];
}

std::string_view public_state(Phase phase) {
  switch (phase) {
    case Phase::up:
      return "up";
    case Phase::idle:
    case Phase::waiting:
    case Phase::stopped:
      return "down";
    default:
      return "connecting";
  }
}

}  // namespace routevpn::session
