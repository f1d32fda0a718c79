// The keys of one handshake with sequence numbers, replay window and the peer's endpoint.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/datapath/candidates.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/outside/udp.hpp"
#include "routevpn/record/locked_memory.hpp"
#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"

namespace routevpn::datapath {

// Increases with each association of this process, from 1. It is never sent.
using AssociationId = std::uint32_t;

// RFC 9325 section 4.4. A rekey is due after rekey_after records in either direction. No more than
// stop_at records of data are sealed.
struct RecordLimits {
  std::optional<std::uint64_t> rekey_after;   // none: the cipher suite's rekey_after
  std::uint64_t stop_at = ~std::uint64_t{0};  // the cipher suite's own limit applies, too
};

// Sequence numbers beyond stop_at: an association at its limit can still send close_notify.
inline constexpr std::uint64_t records_for_alerts = 8;

// A close_notify that is sealed when the association is made. The monitor sends it if the worker
// dies. Its sequence number is the last of the epoch, so every other record comes before it.
struct DyingGasp {
  static constexpr std::size_t max_bytes = 64;  // header, nonce, alert and tag take fewer
  std::array<std::uint8_t, max_bytes> record{};
  std::size_t bytes = 0;  // 0: none
};

// What an association needs to continue in another process. Candidates are heard again.
struct AssociationState {
  AssociationId id = 0;
  record::CipherSuite suite = record::CipherSuite::aes_128_gcm;
  record::CryptoBackend backend = record::CryptoBackend::openssl;
  std::uint64_t stop_at = 0;
  record::SealerState sealer;
  record::OpenerState opener;
  outside::Endpoint endpoint;
  Time endpoint_heard{};
  bool control_messages = false;
  bool sparse_flow = false;
  dtls::Role role = dtls::Role::initiator;
  std::uint64_t rekey_after = 0;
  std::uint64_t forged = 0;
  bool confirmed = false;
  bool rekey_announced = false;
  bool limit_announced = false;
  std::uint32_t echo_requests = 0;

  template <typename Io>
  friend void fields(Io& io, AssociationState& state) {
    io(state.id, state.suite, state.backend, state.stop_at, state.sealer, state.opener,
       state.endpoint, state.endpoint_heard, state.control_messages, state.sparse_flow, state.role,
       state.rekey_after, state.forged, state.confirmed, state.rekey_announced,
       state.limit_announced, state.echo_requests);
  }
};

// The control thread makes associations and their key schedules. Then only the lane uses them,
// except for what its second thread uses: sealer, opener and data_left().
struct Association : record::InLockedMemory {
  Association(AssociationId number, const dtls::Established& established,
              record::CryptoBackend backend, const outside::Endpoint& peer,
              const RecordLimits& limits)
      : id(number),
        stop_at(std::min(limits.stop_at,
                         record::traits(established.suite).record_limit - records_for_alerts)),
        sealer(backend, established.suite, established.send, established.first_send_sequence,
               established.explicit_nonce_base, stop_at + records_for_alerts),
        opener(backend, established.suite, established.receive, established.control_messages),
        endpoint(peer),
        control_messages(established.control_messages),
        sparse_flow(established.sparse_flow),
        role(established.role),
        rekey_after(limits.rekey_after.value_or(record::traits(established.suite).rekey_after)),
        backend_in_use(backend) {
    if (sparse_flow) add_second_thread();
  }
  // Continues what another process has handed over. `backend`: as there, if this process has it.
  Association(const AssociationState& state, record::CryptoBackend backend);

  // The association seals no record from now on.
  [[nodiscard]] AssociationState hand_over();

  // The lane's second thread seals and opens data, too.
  void add_second_thread() {
    sealer.add_second_thread(backend_in_use);
    opener.add_second_thread(backend_in_use);
  }

  // Call it once.
  [[nodiscard]] DyingGasp seal_dying_gasp();

  // The number of records of data that may still be sealed.
  [[nodiscard]] std::uint64_t data_left() const {
    return stop_at - std::min(stop_at, sealer.sealed());
  }

  AssociationId id;
  std::uint64_t stop_at;  // for data; alerts may still be sealed
  record::Sealer sealer;
  record::Opener opener;
  outside::Endpoint endpoint;
  Time endpoint_heard{};  // the last record from there that was newer than all before
  Candidates candidates;
  bool control_messages;  // the peer is routevpn: its explicit nonces count, too
  bool sparse_flow;       // the peer knows the second UDP flow
  dtls::Role role;        // of this end
  std::uint64_t rekey_after;
  record::CryptoBackend backend_in_use;
  std::uint64_t forged = 0;  // records from the endpoint's address that the cipher refused

  // Whether the mailbox took the event for the association's current state.
  bool confirmed = false;           // AssociationConfirmed
  bool rekey_announced = false;     // RekeyDue
  bool limit_announced = false;     // LimitReached
  bool roam_announced = true;       // PeerRoamed
  std::uint32_t echo_requests = 0;  // received from the peer
};

}  // namespace routevpn::datapath
