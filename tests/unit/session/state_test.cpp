#include "routevpn/session/state.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "catch.hpp"

using namespace routevpn::session;

namespace {

// Every expected transition, written a second time, independent of state.cpp. Roles: i initiator,
// a acceptor.
struct Row {
  Phase phase;
  Event event;
  const char* roles;
  Phase next;
  std::vector<Action> actions;
};

const std::vector<Action> lost_initiator = {Action::carrier_off, Action::tell_peer,
                                            Action::drop_associations, Action::schedule_retry};
const std::vector<Action> lost_acceptor = {Action::carrier_off, Action::tell_peer,
                                           Action::drop_associations};

std::vector<Row> table() {
  std::vector<Row> rows = {
      {Phase::idle, Event::start, "i", Phase::resolving, {Action::resolve}},
      {Phase::idle, Event::start, "a", Phase::waiting, {}},
      {Phase::resolving, Event::resolved, "ia", Phase::handshaking, {Action::begin_handshake}},
      {Phase::resolving, Event::resolve_failed, "ia", Phase::backing_off, {Action::schedule_retry}},
      {Phase::handshaking, Event::established, "ia", Phase::confirming, {}},
      {Phase::handshaking,
       Event::handshake_failed,
       "ia",
       Phase::backing_off,
       {Action::schedule_retry}},
      {Phase::backing_off, Event::retry_due, "ia", Phase::resolving, {Action::resolve}},
      {Phase::backing_off,
       Event::retry_next_address,
       "ia",
       Phase::handshaking,
       {Action::begin_handshake}},
      {Phase::waiting, Event::established, "ia", Phase::confirming, {}},
      {Phase::confirming, Event::confirmed, "ia", Phase::up, {Action::carrier_on}},
      {Phase::confirming, Event::established, "ia", Phase::confirming, {}},
      {Phase::confirming, Event::confirmed_early, "ia", Phase::damped, {Action::hold_carrier}},
      {Phase::damped, Event::stable, "ia", Phase::up, {Action::carrier_on}},
  };
  for (const auto phase : {Phase::damped, Phase::up}) {
    rows.push_back({phase, Event::established, "ia", phase, {}});
    rows.push_back({phase, Event::confirmed, "ia", phase, {}});
    rows.push_back({phase, Event::confirmed_early, "ia", phase, {}});
    rows.push_back({phase, Event::rekey_due, "i", phase, {Action::begin_rekey}});
    rows.push_back({phase, Event::rekey_due, "a", phase, {Action::request_rekey}});
    rows.push_back({phase, Event::handshake_failed, "i", phase, {Action::schedule_rekey}});
  }
  for (const auto phase : {Phase::confirming, Phase::damped, Phase::up}) {
    for (const auto event : {Event::silence, Event::peer_closed, Event::peer_refused,
                             Event::expired, Event::limit_reached}) {
      rows.push_back({phase, event, "i", Phase::backing_off, lost_initiator});
      rows.push_back({phase, event, "a", Phase::waiting, lost_acceptor});
    }
  }
  for (std::size_t phase = 0; phase < phase_count; ++phase) {
    if (static_cast<Phase>(phase) == Phase::stopped) continue;
    rows.push_back({static_cast<Phase>(phase),
                    Event::stop,
                    "ia",
                    Phase::stopped,
                    {Action::carrier_off, Action::tell_peer}});
  }
  return rows;
}

const Row* find(const std::vector<Row>& rows, Role role, Phase phase, Event event) {
  const char letter = role == Role::initiator ? 'i' : 'a';
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) {
    return r.phase == phase && r.event == event &&
           std::string(r.roles).find(letter) != std::string::npos;
  });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace

TEST_CASE("step() makes the transitions of the table and no other") {
  const auto rows = table();
  for (const auto role : {Role::initiator, Role::acceptor}) {
    for (std::size_t p = 0; p < phase_count; ++p) {
      for (std::size_t e = 0; e < event_count; ++e) {
        const auto phase = static_cast<Phase>(p);
        const auto event = static_cast<Event>(e);
        CAPTURE(name_of(phase), name_of(event), role == Role::initiator);
        const Transition transition = step(role, phase, event);
        const Row* const row = find(rows, role, phase, event);
        CHECK(transition.expected == (row != nullptr));
        CHECK(transition.next == (row != nullptr ? row->next : phase));
        CHECK(std::ranges::equal(transition.actions,
                                 row != nullptr ? row->actions : std::vector<Action>{}));
      }
    }
  }
}

TEST_CASE("the public state is up, connecting or down") {
  CHECK(public_state(Phase::up) == "up");
  for (const auto phase : {Phase::resolving, Phase::handshaking, Phase::backing_off,
                           Phase::confirming, Phase::damped}) {
    CHECK(public_state(phase) == "connecting");
  }
  for (const auto phase : {Phase::idle, Phase::waiting, Phase::stopped}) {
    CHECK(public_state(phase) == "down");
  }
}
