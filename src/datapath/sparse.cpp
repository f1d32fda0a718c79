// The lane's side of the second UDP flow: sparse_flow.hpp has the protocol, flow_classes.hpp says
// which packets take it.

#include <algorithm>

#include "routevpn/datapath/lane.hpp"

namespace routevpn::datapath {

namespace {

bool is_initiator(const Association& association) {
  return association.role == dtls::Role::initiator;
}

}  // namespace

inside::OutboundBatch& Lane::batch_for(ConstBytes packet, std::size_t mtu, Time now,
                                       bool keep_sparse) {
  if (!sending_->sparse_flow) return outbound_;
  const auto& remote = sparse_.remote();
  // While the peer seems to move, its new address gets copies of the bulk flow alone.
  const bool is_open = sparse_.is_open(now) && sending_->candidates.current() == nullptr &&
                       (!is_initiator(*sending_) || remote->remote == sending_->endpoint.remote);
  const std::size_t largest = std::min({packet.size(), mtu, payload_limit_});
  const bool may = is_open && largest <= sparse_.payload_bytes();
  const auto verdict = classes_.classify(packet, may, now);
  // The flow's later packets may already be with the second thread.
  const bool is_steered =
      keep_sparse || (steering_ != nullptr && verdict.slot && steering_->is_sparse(*verdict.slot));
  const bool sparse = verdict.sparse || (may && is_steered);
  sparse_wanted_ = sparse_wanted_ || sparse || (remote && !is_open);
  if (verdict.sparse && !is_steered) note_sparse_slot(*verdict.slot);
  return sparse ? sparse_outbound_ : outbound_;
}

// If there is no room, a later packet of the flow will do.
void Lane::note_sparse_slot(FlowClasses::Slot slot) {
  if (steering_ == nullptr || sparse_slots_.size() == sparse_slots_.capacity()) return;
  if (sparse_slots_.empty() || sparse_slots_.back() != slot) sparse_slots_.push_back(slot);
}

SparseView Lane::sparse_view(Time now) const {
  SparseView view;
  if (sending_ == nullptr || !sending_->sparse_flow) return view;
  const auto& remote = sparse_.remote();
  if (!sparse_.is_open(now) || bulk_shown_at_) return view;
  // The second thread moves no endpoint and copies nothing to a candidate.
  for (const auto& each : associations_) {
    if (each->candidates.has_current() || !each->roam_announced) return view;
  }
  const bool initiator = is_initiator(*sending_);
  if (initiator ? remote->remote != sending_->endpoint.remote : is_bulk_endpoint(remote->remote)) {
    return view;
  }
  if (sparse_.payload_bytes() < payload_limit_) return view;
  std::size_t count = 0;
  for (const auto& each : associations_) {
    const bool usable =
        each->sparse_flow && each->confirmed && each->endpoint.remote == sending_->endpoint.remote;
    if (usable && count < view.opening.size()) view.opening[count++] = each;
  }
  if (count == 0) return {};
  // During a rekey the lane may seal with an association that the peer has not confirmed yet.
  view.sending = view.opening[0];
  view.endpoint = sending_->endpoint.remote;
  view.to = *remote;
  view.from = initiator ? sending_->endpoint : *remote;
  view.local_matters = !initiator;
  view.payload_limit = payload_limit_;
  view.request_at = sparse_.request_at();
  view.sources = inner_sources_;
  return view;
}

// An acceptor goes by the peer's address, because datagrams of both flows can reach either socket.
// An endpoint is never one of the sparse flow: a restarted peer may have the same ports the other
// way round.
bool Lane::is_sparse(const SocketAddress& from, UdpFlow flow, Time now) const {
  if (associations_.empty()) return false;
  if (is_initiator(*associations_.front())) return flow == UdpFlow::sparse;
  if (!is_sparse_remote(from) && !sparse_.candidates.expects(from, now)) return false;
  return !is_bulk_endpoint(from);
}

// A record is newer than all before. One of the sparse flow, or one that asks for it, does not move
// an acceptor's bulk endpoint. The acceptor has one address for both flows, but an initiator sends
// echo requests by the bulk flow only. So one from the sparse flow's address is a reason for a
// challenge: a relay can make one flow of the two, or a NAT can give that address to the bulk flow.
void Lane::follow(Association& association, ConstBytes payload, std::size_t record_bytes,
                  const Arrival& arrival) {
  using Kind = ControlMessage::Kind;
  const auto is = [&](Kind kind) {
    return association.sparse_flow && payload.size() >= control_message_bytes &&
           payload[0] == static_cast<std::uint8_t>(kind);
  };
  const bool sparse = arrival.sparse && association.sparse_flow;
  const bool moves = is_initiator(association)
                         ? !sparse || association.endpoint.remote != arrival.from.remote
                         : !sparse && !is(Kind::sparse_request);
  if (moves) return follow_peer(association, record_bytes, arrival);
  if (is_initiator(association)) return;
  if (sparse && is(Kind::echo_request)) {
    Candidate& candidate = association.candidates.heard(arrival.from, record_bytes, arrival.now);
    challenge(association, candidate, control_message_bytes, arrival.now);
  }
  if (!is_sparse_remote(arrival.from.remote)) return;
  // As far as is known the peer has not moved. Copies to a relay that reaches only the second port
  // would be answered, and hide that the bulk flow is dead.
  association.candidates.heard_endpoint();
  // It sends to another address of this host.
  if (sparse_.remote()->local != arrival.from.local) sparse_found(arrival.from, 0);
}

void Lane::answer_echo(const Association& association, const ControlMessage& request,
                       const Arrival& arrival) {
  using Kind = ControlMessage::Kind;
  // The answer tells that the bulk endpoint has moved to the address that was shown.
  const bool shows = request.sequence == address_probe && !is_initiator(association);
  if (shows && association.endpoint.remote != arrival.from.remote) return;
  const bool challenged =
      arrival.sparse && is_initiator(association) && (request.sequence & path_probe) != 0;
  reply({Kind::echo_reply, request.sequence, request.stamp,
         challenged ? at_second_port : association.echo_requests},
        arrival);
  // The flow was in use, so this end has another address.
  if (challenged && sparse_.remote()) show_bulk(arrival.now);
}

// An initiator may have another address, and from now on all its data may be of the sparse flow. So
// the bulk flow shows its own address until that is answered.
void Lane::show_bulk(Time now) {
  constexpr Duration interval = std::chrono::milliseconds(20);
  if (bulk_shown_at_ && now - *bulk_shown_at_ < interval) return;
  bulk_shown_at_ = now;
  queue_control({ControlMessage::Kind::echo_request, address_probe, stamp_of(now), 0});
}

// By the flow of the request. An acceptor answers no address of the sparse flow that is not proven.
void Lane::reply(const ControlMessage& message, const Arrival& arrival) {
  if (!arrival.sparse || sending_ == nullptr || !sending_->sparse_flow) {
    return queue_control(message);
  }
  const bool initiator = is_initiator(*sending_);
  if (!initiator && !is_sparse_remote(arrival.from.remote)) return queue_control(message);
  if (!append_control(message, 0)) return drop(Drop::outside_busy);
  seal_control(*sending_, record::ContentType::application_data,
               {initiator ? sending_->endpoint : *sparse_.remote(), UdpFlow::sparse});
}

void Lane::request_sparse(std::size_t payload_bytes, Time now) {
  if (sparse_.is_lost(now)) lose_sparse();
  const bool initiator = is_initiator(*sending_);
  if (!initiator && !sparse_.remote()) return;
  const outside::Endpoint to = initiator ? sending_->endpoint : *sparse_.remote();
  if (!append_control(sparse_.request(payload_bytes, now), payload_bytes)) {
    return drop(Drop::outside_busy);
  }
  seal_control(*sending_, record::ContentType::application_data, {to, UdpFlow::sparse});
}

void Lane::probe_sparse(Time now) {
  if (sending_ == nullptr || !sending_->sparse_flow || !is_initiator(*sending_)) return;
  request_sparse(std::max(payload_limit_, control_message_bytes), now);
}

// Either end asks, because the flow carries no packet of a size that it has not shown.
void Lane::probe_sparse_limit(Time now) {
  if (sending_ == nullptr || !sending_->sparse_flow || !sparse_.remote()) return;
  request_sparse(std::max(payload_limit_, control_message_bytes), now);
}

void Lane::answer_sparse(Association& association, const ControlMessage& request,
                         std::size_t payload_bytes, const Arrival& arrival) {
  const ControlMessage answer{ControlMessage::Kind::sparse_reply, request.sequence, request.stamp,
                              0};
  if (!association.sparse_flow) return drop(Drop::payload_control);
  if (is_initiator(association)) {
    return arrival.sparse ? reply(answer, arrival) : drop(Drop::payload_control);
  }
  // A relay on the path makes one flow of the two.
  if (arrival.from.remote == association.endpoint.remote) return drop(Drop::payload_control);
  const std::size_t wanted = std::min(payload_bytes, payload_limit_);
  if (is_sparse_remote(arrival.from.remote) && wanted <= sparse_.payload_bytes()) {
    if (!sparse_announced_) announce_sparse();
    return reply(answer, arrival);
  }
  Candidate& candidate = sparse_.candidates.heard(
      arrival.from, record::header_bytes + payload_bytes + record::tailroom, arrival.now);
  const ControlMessage last = candidate.challenge;
  if (!challenge(association, candidate, wanted, arrival.now)) return;
  // A repeated challenge can be answered for the shorter of the two.
  const bool repeats = last.stamp == candidate.challenge.stamp;
  sparse_.challenge = {answer,
                       repeats ? std::min(wanted, sparse_.challenge.payload_bytes) : wanted};
}

void Lane::sparse_answered(const Association& association, const ControlMessage& reply,
                           const Arrival& arrival) {
  const bool initiator = is_initiator(association);
  const bool from_there =
      arrival.sparse && (!initiator || arrival.from.remote == association.endpoint.remote);
  const auto payload_bytes = from_there ? sparse_.answered(reply, arrival.now) : std::nullopt;
  if (!payload_bytes) return drop(Drop::payload_control);
  classes_.sparse_answered(arrival.now - time_of(reply));
  if (initiator) {
    if (sparse_.remote() != association.endpoint) show_bulk(arrival.now);
    return sparse_found(association.endpoint, *payload_bytes);
  }
  if (is_sparse_remote(arrival.from.remote)) sparse_.found(*sparse_.remote(), *payload_bytes);
}

// The challenge may be that of roam.cpp: a NAT has changed the second port, or this end has been
// restarted. Then nothing was padded, so this end asks how much the flow carries.
bool Lane::take_sparse_proof(const ControlMessage& reply, const Arrival& arrival) {
  const SocketAddress& from = arrival.from.remote;
  if (is_bulk_endpoint(from)) return false;  // in the meantime
  const bool requested = sparse_.candidates.proven_by(reply, from, arrival.now);
  bool followed = false;
  for (const auto& each : associations_) {
    if (!each->sparse_flow || !each->candidates.proven_by(reply, from, arrival.now)) continue;
    each->candidates.set_aside(from);
    followed = true;
  }
  if (!requested && !followed) return false;
  sparse_.candidates.clear();
  if (followed) sparse_.has_roamed(arrival.now);
  if (requested) sparse_.was_padded(arrival.now);
  const bool is_known = is_sparse_remote(from);
  if (followed && !is_known) sparse_.begin_copies(arrival.now);
  sparse_found(arrival.from, requested ? sparse_.challenge.payload_bytes : control_message_bytes);
  if (requested) this->reply(sparse_.challenge.answer, arrival);
  const bool may_ask = sending_ != nullptr && sending_->sparse_flow;
  if (may_ask && sparse_.payload_bytes() == control_message_bytes &&
      (!is_known || sparse_.padding_due(arrival.now))) {
    request_sparse(std::max(payload_limit_, control_message_bytes), arrival.now);
  }
  return true;
}

void Lane::sparse_found(const outside::Endpoint& remote, std::size_t payload_bytes) {
  const bool is_new = sparse_.remote() != remote;
  sparse_.found(remote, payload_bytes);
  if (is_new || !sparse_announced_) announce_sparse();
}

void Lane::lose_sparse() {
  const bool was_found = sparse_.remote().has_value();
  sparse_.lose();
  if (was_found) announce_sparse();
}

void Lane::announce_sparse() {
  sparse_announced_ = announce(0, SparseFlowChanged{sparse_.remote()});
}

// Of a request sealed while a batch waited for the socket, the reply says nothing of that batch.
void Lane::bulk_answered(const ControlMessage& reply, Duration round_trip) {
  const Time sent = time_of(reply);
  if (reply.sequence == address_probe) bulk_shown_at_.reset();
  if (sent > overtaking_request_) classes_.bulk_answered(sent, round_trip);
}

}  // namespace routevpn::datapath
