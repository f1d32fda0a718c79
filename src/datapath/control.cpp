// What a lane tells its control thread, and what the peer's lane tells this one: control messages
// and alerts.

#include "routevpn/base/overloaded.hpp"
#include "routevpn/datapath/lane.hpp"

namespace routevpn::datapath {
namespace {

// Control messages and alerts of the peer. Each may cause a reply or an event. Far more than the
// 100 keepalives per second that options allow, and less than 1 % of a processor.
constexpr Rate control_rate{std::chrono::milliseconds(1), 64};

// A round trip takes less. The prober has forgotten older requests.
constexpr Duration max_round_trip = std::chrono::seconds(60);

}  // namespace

// False: the queue of events is full.
bool Lane::put_event(AssociationId id, const decltype(LaneEvent::what)& what) {
  LaneEvent* const slot = mailbox_.events.reserve();
  if (slot == nullptr) return false;
  *slot = {id, what};
  mailbox_.events.publish();
  return true;
}

bool Lane::announce(AssociationId id, const decltype(LaneEvent::what)& what) {
  wakes_control_ = true;
  return put_event(id, what);
}

void Lane::on_timer(Time now) {
  std::visit(Overloaded{
                 [](std::monostate) {},
                 [this, now](std::uint32_t sequence) {
                   queue_control({ControlMessage::Kind::echo_request, sequence, stamp_of(now)});
                 },
                 // If the queue of events is full, the control thread asks by itself after a while.
                 [this](const auto& missing) { announce(0, missing); },
             },
             keepalives_.take(now));
}

void Lane::control_message(Association& association, ConstBytes payload, const Arrival& arrival) {
  const auto message = decode_control(payload);
  if (!message) return drop(Drop::payload_control);
  if (!peer_control_.admit(arrival.now, control_rate)) return drop(Drop::payload_control_limited);
  switch (message->kind) {
    case ControlMessage::Kind::echo_request: {
      const bool probes_path = (message->sequence & path_probe) != 0;
      if (!probes_path) {
        ++association.echo_requests;
        counters_.last_asked.store(arrival.now, std::memory_order_relaxed);
        keepalives_.asked(arrival.now);
      }
      return answer_echo(association, *message, arrival);
    }
    case ControlMessage::Kind::echo_reply:
      return take_echo_reply(association, *message, arrival);
    case ControlMessage::Kind::rekey_request:
      announce(association.id, RekeyRequested{});
      return;
    case ControlMessage::Kind::sparse_request:
      return answer_sparse(association, *message, payload.size(), arrival);
    case ControlMessage::Kind::sparse_reply:
      return sparse_answered(association, *message, arrival);
  }
}

// The control thread learns of a reply at once only if it waits for it.
void Lane::take_echo_reply(const Association& association, const ControlMessage& reply,
                           const Arrival& arrival) {
  if (take_path_proof(reply, arrival)) return;
  // Modulo 2^64, because the peer chooses the stamp. One in the future is very old.
  const std::uint64_t age = stamp_of(arrival.now) - reply.stamp;
  if (age > static_cast<std::uint64_t>(max_round_trip.count())) {
    return drop(Drop::payload_control);
  }
  const Duration round_trip(static_cast<Duration::rep>(age));
  // A reply comes by the sparse flow only if an attacker has copied it or its request there. It
  // still shows that the peer is alive.
  if (arrival.sparse) counters_.last_heard.store(arrival.now, std::memory_order_relaxed);
  if (!arrival.sparse) bulk_answered(reply, round_trip);
  EchoReplied event{reply.sequence, round_trip, reply.received, std::nullopt};
  if (keepalives_.answers(reply.sequence, time_of(reply))) event.sent = time_of(reply);
  if (event.sent && keepalives_.goes_on()) {
    put_event(association.id, event);
  } else {
    announce(association.id, event);
  }
}

void Lane::take_alert(Association& association, ConstBytes payload, std::uint64_t sequence,
                      Time now) {
  if (payload.size() != 2) return drop(Drop::record_length);
  if (!peer_control_.admit(now, control_rate)) return drop(Drop::payload_control_limited);
  const AlertReceived alert{payload[0], payload[1], sequence == record::max_sequence};
  // A fatal alert ends a handshake that failed at the peer, so the association is not used.
  if (alert.level != alert_fatal) confirm(association);
  announce(association.id, alert);  // if the queue is full, dead detection takes over
}

}  // namespace routevpn::datapath
