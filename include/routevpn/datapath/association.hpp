// What one handshake gave the lane: keys in both directions, the replay window, and where the peer
// is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "routevpn/dtls/handshake.hpp"
#include "routevpn/outside/udp.hpp"
#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"

namespace routevpn::datapath {

// Counted up by this process; never on the wire.
using AssociationId = std::uint32_t;

// How many records an association may carry, RFC 9325 section 4.4: renewal is due at the first
// number, in either direction; nothing is sealed beyond the second.
struct RecordLimits {
  std::optional<std::uint64_t> rekey_after;   // none: as the cipher suite wants it
  std::uint64_t stop_at = ~std::uint64_t{0};  // the cipher suite's own limit applies besides
};

// Numbers beyond stop_at, so that an association at its limit can still say farewell.
inline constexpr std::uint64_t records_for_alerts = 8;

// Made by the control thread, key schedules and all; used by the lane alone from then on.
struct Association {
  Association(AssociationId number, const dtls::Established& established,
              record::CryptoBackend backend, const outside::Endpoint& peer,
              const RecordLimits& limits);

  // How many more records of data it may seal.
  [[nodiscard]] std::uint64_t data_left() const {
    return stop_at - std::min(stop_at, sealer.sealed());
  }

  AssociationId id;
  record::Sealer sealer;
  record::Opener opener;
  outside::Endpoint endpoint;
  bool control_messages;
  std::uint64_t rekey_after;
  std::uint64_t stop_at;  // data; alerts may still be sealed

  // The control thread knows that an authentic record has come, that renewal is due, that the limit
  // is reached, and where the peer is.
  bool confirmed = false;
  bool rekey_announced = false;
  bool limit_announced = false;
  bool roam_announced = true;
  std::uint32_t echo_requests = 0;  // had from the peer
};

}  // namespace routevpn::datapath
