#include "routevpn/session/state.hpp"

namespace routevpn::session {

namespace {

using A = Action;

constexpr std::array resolve{A::resolve};
constexpr std::array handshake{A::begin_handshake};
constexpr std::array retry{A::schedule_retry};
constexpr std::array carrier_on{A::carrier_on};
constexpr std::array hold{A::hold_carrier};
// The carrier goes off first: BIRD reacts without waiting for the peer, and no packet is sent that
// the peer would discard after the close_notify.
constexpr std::array lost_initiator{A::carrier_off, A::tell_peer, A::drop_associations,
                                    A::schedule_retry};
constexpr std::array lost_acceptor{A::carrier_off, A::tell_peer, A::drop_associations};
constexpr std::array stopping{A::carrier_off, A::tell_peer};
constexpr std::array rekey{A::begin_rekey};
constexpr std::array request_rekey{A::request_rekey};
constexpr std::array rekey_later{A::schedule_rekey};

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
      return go(Phase::up, carrier_on);
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

// In phases up and damped the association works.
Transition when_working(Role role, Phase phase, Event event) {
  switch (event) {
    case Event::stable:
      return phase == Phase::damped ? go(Phase::up, carrier_on) : ignored(phase);
    case Event::established:
    case Event::confirmed:
    case Event::confirmed_early:
      return stay(phase);
    case Event::silence:
    case Event::peer_closed:
    case Event::peer_revoked:
    case Event::limit_reached:
      return lost(role);
    case Event::rekey_due:
      return stay(phase, role == Role::initiator ? std::span(rekey) : std::span(request_rekey));
    case Event::handshake_failed:
      return role == Role::initiator ? stay(phase, rekey_later) : ignored(phase);
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
      return role == Role::initiator ? go(Phase::resolving, resolve) : go(Phase::waiting);
    case Phase::resolving:
      if (event == Event::resolved) return go(Phase::handshaking, handshake);
      if (event == Event::resolve_failed) return go(Phase::backing_off, retry);
      return ignored(phase);
    case Phase::handshaking:
      if (event == Event::established) return go(Phase::confirming);
      if (event == Event::handshake_failed) return go(Phase::backing_off, retry);
      return ignored(phase);
    case Phase::backing_off:
      if (event == Event::retry_due) return go(Phase::resolving, resolve);
      if (event == Event::retry_next_address) return go(Phase::handshaking, handshake);
      return ignored(phase);
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

#define ROUTEVPN_NAME(name) #name,
std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, phase_count> names = {ROUTEVPN_PHASES(ROUTEVPN_NAME)};
  return names[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Event event) {
  constexpr std::array<std::string_view, event_count> names = {ROUTEVPN_EVENTS(ROUTEVPN_NAME)};
  return names[static_cast<std::size_t>(event)];
}
#undef ROUTEVPN_NAME

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
