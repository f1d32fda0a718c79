// The peer moves: its NAT rebinds, its address changes, or it takes another uplink.
//
//   1. follow_peer() sees a record, newer than all before, that does not come from the endpoint.
//   2. challenge() sends an echo request there. send.cpp copies datagrams there, within the credit.
//   3. take_path_proof() receives the reply from there, and the endpoint moves.
//
// So a move takes one round trip after its first record, and ends of earlier versions prove
// themselves, too. The reply says if the address leads to the peer's second port: then the sparse
// flow moves, and the endpoint stays. A move to the address of the peer's own sparse flow begins
// with an echo request and without copies: sparse.cpp.
//
// A plain DTLS peer answers no echo request. It has moved when `plain_silence` has passed without a
// newest record from its endpoint. Its endpoint is never proven, only likely.

#include <algorithm>

#include "routevpn/datapath/lane.hpp"

namespace routevpn::datapath {
namespace {

constexpr Duration plain_silence = std::chrono::seconds(1);
// Challenges of a lane, so that a peer with any number of addresses causes few.
constexpr Rate challenge_rate{std::chrono::milliseconds(10), 16};

}  // namespace

bool Lane::is_bulk_endpoint(const SocketAddress& address) const {
  return std::any_of(associations_.begin(), associations_.end(),
                     [&address](const auto& each) { return each->endpoint.remote == address; });
}

void Lane::follow_peer(Association& association, std::size_t bytes, const Arrival& arrival) {
  if (association.endpoint.remote == arrival.from.remote) {
    association.endpoint_heard = arrival.now;
    association.candidates.heard_endpoint();
    sparse_.end_copies();
    // The peer sends to another address of this host.
    if (association.endpoint.local != arrival.from.local) move_endpoint(association, arrival);
    return;
  }
  Candidate& candidate = association.candidates.heard(arrival.from, bytes, arrival.now);
  if (association.control_messages) {
    challenge(association, candidate, control_message_bytes, arrival.now);
    return;
  }
  const Time silent_since = std::max(association.endpoint_heard, candidate.since);
  if (arrival.now - silent_since >= plain_silence) move_endpoint(association, arrival);
}

bool Lane::challenge(Association& association, Candidate& candidate, std::size_t payload_bytes,
                     Time now) {
  const std::size_t bytes =
      record::headroom(association.sealer.suite()) + payload_bytes + record::tailroom;
  if (candidate.credit < bytes || association.data_left() == 0) return false;
  if (!challenges_.allows(now, challenge_rate)) return false;
  const ControlMessage* const message = Candidates::challenge(candidate, now);
  if (message == nullptr || !append_control(*message, payload_bytes)) return false;
  challenges_.take(now, challenge_rate);
  if (!seal_control(association, record::ContentType::application_data, {candidate.endpoint})) {
    return false;
  }
  candidate.credit -= bytes;
  return true;
}

// Whether the reply is that to a challenge. It may be sealed with another association.
bool Lane::take_path_proof(const ControlMessage& reply, const Arrival& arrival) {
  if (reply.received == at_second_port) return take_sparse_proof(reply, arrival);
  bool proven = false;
  for (const auto& each : associations_) {
    if (!each->candidates.proven_by(reply, arrival.from.remote, arrival.now)) continue;
    move_endpoint(*each, arrival);
    proven = true;
  }
  return proven;
}

void Lane::move_endpoint(Association& association, const Arrival& arrival) {
  // The sparse flow stays if it has moved just before, unless both now have the same address.
  if (association.endpoint.remote != arrival.from.remote &&
      (is_sparse_remote(arrival.from.remote) || !sparse_.has_just_roamed(arrival.now))) {
    lose_sparse();
  }
  association.endpoint = arrival.from;
  association.endpoint_heard = arrival.now;
  association.candidates.clear();
  sparse_.end_copies();
  association.roam_announced = false;
  announce_roam(association);
}

void Lane::announce_roam(Association& association) {
  association.roam_announced = announce(association.id, PeerRoamed{association.endpoint});
}

}  // namespace routevpn::datapath
