#include "routevpn/session/state.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace routevpn::session {

namespace {

using enum Phase;
using enum Event;
using enum Action;

struct Actions {
  constexpr Actions(std::initializer_list<Action> actions) : count(actions.size()) {
    std::copy(actions.begin(), actions.end(), list.begin());
  }
  std::array<Action, 4> list{};
  std::size_t count;
};

struct Row {
  unsigned phases;  // a bit for each
  Event event;
  unsigned roles;             // likewise
  std::optional<Phase> next;  // none: the phase stays
  Actions actions;
};

template <typename Enum>
constexpr unsigned bit(Enum value) {
  return 1U << static_cast<unsigned>(value);
}
constexpr unsigned initiator = bit(Role::initiator);
constexpr unsigned acceptor = bit(Role::acceptor);
constexpr unsigned both = initiator | acceptor;
constexpr unsigned working = bit(damped) | bit(up);
constexpr unsigned associated = working | bit(confirming);
constexpr auto stay = std::nullopt;

// The carrier goes off first: BIRD reacts without waiting for the peer, and no packet is sent that
// the peer would discard after the close_notify.
constexpr Actions lose_and_retry{carrier_off, tell_peer, drop_associations, schedule_retry};
constexpr Actions lose{carrier_off, tell_peer, drop_associations};

constexpr auto rows = std::to_array<Row>({
    {bit(idle), start, initiator, resolving, {resolve}},
    {bit(idle), start, acceptor, waiting, {}},
    {bit(resolving), resolved, both, handshaking, {begin_handshake}},
    {bit(resolving), resolve_failed, both, backing_off, {schedule_retry}},
    {bit(handshaking), established, both, confirming, {}},
    {bit(handshaking), handshake_failed, both, backing_off, {schedule_retry}},
    {bit(backing_off), retry_due, both, resolving, {resolve}},
    {bit(backing_off), retry_next_address, both, handshaking, {begin_handshake}},
    {bit(waiting), established, both, confirming, {}},
    {bit(confirming), confirmed, both, up, {carrier_on}},
    {bit(confirming), confirmed_early, both, damped, {hold_carrier}},
    {bit(damped), stable, both, up, {carrier_on}},
    {associated, established, both, stay, {}},
    {working, confirmed, both, stay, {}},
    {working, confirmed_early, both, stay, {}},
    {working, rekey_due, initiator, stay, {begin_rekey}},
    {working, rekey_due, acceptor, stay, {request_rekey}},
    {working, handshake_failed, initiator, stay, {schedule_rekey}},
    {associated, silence, initiator, backing_off, lose_and_retry},
    {associated, silence, acceptor, waiting, lose},
    {associated, peer_closed, initiator, backing_off, lose_and_retry},
    {associated, peer_closed, acceptor, waiting, lose},
    {associated, peer_refused, initiator, backing_off, lose_and_retry},
    {associated, peer_refused, acceptor, waiting, lose},
    {associated, expired, initiator, backing_off, lose_and_retry},
    {associated, expired, acceptor, waiting, lose},
    {associated, limit_reached, initiator, backing_off, lose_and_retry},
    {associated, limit_reached, acceptor, waiting, lose},
    {~bit(stopped), stop, both, stopped, {carrier_off, tell_peer}},
});

#define ROUTEVPN_NAME(name) #name,
constexpr std::array<std::string_view, phase_count> phase_names = {ROUTEVPN_PHASES(ROUTEVPN_NAME)};
constexpr std::array<std::string_view, event_count> event_names = {ROUTEVPN_EVENTS(ROUTEVPN_NAME)};
#undef ROUTEVPN_NAME

}  // namespace

Transition step(Role role, Phase phase, Event event) {
  for (const Row& row : rows) {
    if (row.event != event || (row.phases & bit(phase)) == 0 || (row.roles & bit(role)) == 0) {
      continue;
    }
    return {row.next.value_or(phase), true, std::span(row.actions.list).first(row.actions.count)};
  }
  return {phase, false, {}};
}

std::string_view name_of(Phase phase) {
  return phase_names[static_cast<std::size_t>(phase)];
}

std::string_view name_of(Event event) {
  return event_names[static_cast<std::size_t>(event)];
}

std::string_view public_state(Phase phase) {
  if (phase == up) return "up";
  const bool down = phase == idle || phase == waiting || phase == stopped;
  return down ? "down" : "connecting";
}

}  // namespace routevpn::session
