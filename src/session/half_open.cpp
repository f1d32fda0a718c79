#include "routevpn/session/half_open.hpp"

#include <algorithm>
#include <functional>

#include "routevpn/dtls/admission.hpp"

namespace routevpn::session {

namespace {

using Holds = std::function<bool(const HalfOpen&)>;

// Handshakes that share places.
struct Share {
  std::size_t places;
  Holds holds;
};

std::size_t held(const Holds& holds, std::span<const HalfOpen> table) {
  return static_cast<std::size_t>(std::ranges::count_if(table, holds));
}

Place evict_oldest(const Holds& holds, std::span<const HalfOpen> table) {
  const HalfOpen* victim = nullptr;
  for (const HalfOpen& one : table) {
    const bool older = victim == nullptr || one.begun < victim->begun;
    if (holds(one) && !one.proved_key && older) victim = &one;
  }
  if (victim == nullptr) return {};
  return {true, victim->source};
}

}  // namespace

Place place_for(const HalfOpen& newcomer, std::span<const HalfOpen> table) {
  const auto of_network = [&](unsigned length) {
    return [network = IpPrefix{newcomer.source.address, length}](const HalfOpen& one) {
      return !one.of_peer && network.contains(one.source.address);
    };
  };
  const auto of_group = [](bool first_contacts) {
    return [first_contacts](const HalfOpen& one) {
      return !one.of_peer && one.first_contact == first_contacts;
    };
  };
  if (newcomer.of_peer) {
    const auto of_peer = [](const HalfOpen& one) { return one.of_peer; };
    if (held(of_peer, table) < max_half_open_of_peer) return {true};
    return evict_oldest(of_peer, table);
  }
  const auto levels = dtls::Admission::levels_of(newcomer.source.address);
  for (const Share& share :
       {Share{max_half_open_of_network, of_network(levels.front().length)},
        Share{max_half_open_of_wide_network, of_network(levels.back().length)}}) {
    if (held(share.holds, table) >= share.places) return evict_oldest(share.holds, table);
  }
  const Holds own = of_group(newcomer.first_contact);
  const Holds other = of_group(!newcomer.first_contact);
  if (held(own, table) + held(other, table) < max_half_open) return {true};
  return evict_oldest(held(own, table) >= max_half_open / 2 ? own : other, table);
}

}  // namespace routevpn::session
