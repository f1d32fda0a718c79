#include "routevpn/session/handshakes.hpp"

#include <algorithm>

namespace routevpn::session {

namespace {

// HelloVerifyRequests to a source. An answer costs both ends about 35 us together (measured on one
// machine), so at most a sixth of a processor. Of hellos forged in the peer's name at 50,000 per
// second each tenth is answered, and so is each tenth of the peer's own. Its next flight, which has
// the cookie, is not limited.
constexpr Rate cookie_request_rate{std::chrono::microseconds(200), 64};

// An alert of epoch 0 is not authenticated: without a handshake that it could end it is dropped.
bool is_alert(ConstBytes datagram) {
  return !datagram.empty() && datagram[0] == static_cast<std::uint8_t>(record::ContentType::alert);
}

const char* text_of(Drop psk_fault) {
  switch (psk_fault) {
    case Drop::psk_missing:
      return "the handshake is in no envelope: the peer has no PSK, this link has a PSK";
    case Drop::psk_unexpected:
      return "the handshake is in an envelope: the peer has a PSK, this link has none";
    case Drop::psk_mismatch:
      return "the envelope does not authenticate: the peer has another PSK, or a stranger sent it";
    default:
      return "the time of the envelope differs by more than 5 minutes from the local clock";
  }
}

}  // namespace

Handshakes::Handshakes(dtls::Role role, std::shared_ptr<const dtls::Identity> identity,
                       std::vector<IpPrefix> allowed, DropCounters& drops, unsigned lane)
    : role_(role),
      identity_(std::move(identity)),
      admission_(std::move(allowed)),
      envelopes_(identity_->psks(), role, lane),
      drops_(drops) {
  if (role_ == dtls::Role::acceptor) listener_.emplace(identity_);
}

void Handshakes::replace_identity(std::shared_ptr<const dtls::Identity> identity) {
  identity_ = std::move(identity);
  envelopes_.replace_keys(identity_->psks());
  if (listener_) listener_->replace_identity(identity_);
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.association; });
}

void Handshakes::initiate(const outside::Endpoint& peer, Time now) {
  abandon();
  const auto entry =
      entries_.emplace(peer.remote, Entry{dtls::Handshake::initiate(identity_, now), peer, now});
  proceed(entry.first);
}

void Handshakes::abandon() {
  entries_.clear();
  std::erase_if(events_, [](const HandshakeEvent& event) {
    return std::holds_alternative<HandshakeFailed>(event);
  });
}

std::optional<HandshakeEvent> Handshakes::take_event() {
  if (events_.empty()) return std::nullopt;
  HandshakeEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

bool Handshakes::initiating() const {
  return role_ == dtls::Role::initiator &&
         std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return !entry.second.association; });
}

bool Handshakes::answered() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return !entry.second.association && entry.second.answered;
  });
}

dtls::Envelopes::Opened Handshakes::open(ConstBytes received, const outside::Endpoint& from,
                                         Time now) {
  auto opened = envelopes_.open(received, dtls::wall_seconds());
  if (!opened.fault) return opened;
  const Drop fault = *opened.fault;
  drops_.add(fault);
  const bool reported = role_ == dtls::Role::acceptor && fault != Drop::psk_replayed &&
                        now >= next_psk_report_ && admission_.allows(from.remote.address);
  if (!reported) return opened;
  next_psk_report_ = now + psk_report_interval;
  events_.emplace_back(HandshakeFailed{from.remote, {fault, text_of(fault)}});
  return opened;
}

// The peer seals a handshake with one PSK from its first datagram to its last.
void Handshakes::receive(ConstBytes datagram, const outside::Endpoint& from, Time now,
                         const dtls::PskPtr& psk) {
  const auto entry = entries_.find(from.remote);
  const auto random = dtls::client_hello_random(datagram);
  if (random && role_ == dtls::Role::acceptor) {
    const bool retransmitted =
        entry != entries_.end() &&
        std::ranges::equal(*random, entry->second.handshake->client_random());
    if (!retransmitted) return client_hello(datagram, from, now, psk);
  }
  if (entry != entries_.end() && !dtls::same(entry->second.handshake->psk(), psk)) {
    return drops_.add(Drop::psk_mismatch);
  }
  if (entry != entries_.end()) return feed(entry, datagram, now);
  drops_.add(is_alert(datagram) ? Drop::plaintext_alert : Drop::handshake_unexpected);
}

// A ClientHello without a valid cookie is answered without any state, if --allow covers its source.
// Handshakes are counted behind the cookie: before it, a sender of forged source addresses could
// use up the share of the peer's address.
void Handshakes::client_hello(ConstBytes datagram, const outside::Endpoint& from, Time now,
                              const dtls::PskPtr& psk) {
  if (!admission_.allows(from.remote.address)) return drops_.add(Drop::handshake_not_allowed);
  bool first_contact = false;
  auto answer = listener_->receive(datagram, from.remote, now, [&] {
    const auto decision = admit(from.remote, now);
    first_contact = decision.first_contact;
    return decision.refused;
  });
  if (answer.malformed) drops_.add(Drop::handshake_malformed);
  if (answer.refused) drops_.add(*answer.refused);
  const bool asks_for_cookie = !answer.output.empty();
  if (asks_for_cookie &&
      !cookie_requests_.of(from.remote.address).admit(now, cookie_request_rate)) {
    return drops_.add(Drop::handshake_rate_limited);
  }
  for (auto& reply : answer.output) send(std::move(reply), from, psk);
  if (answer.handshake == nullptr) return;
  answer.handshake->use_psk(psk);
  const auto entry = entries_.emplace(
      from.remote, Entry{std::move(answer.handshake), from, now, true, first_contact});
  proceed(entry.first);
}

void Handshakes::send(std::vector<std::uint8_t> datagram, const outside::Endpoint& to,
                      const dtls::PskPtr& psk) {
  events_.emplace_back(
      SendHandshake{envelopes_.seal(psk, std::move(datagram), dtls::wall_seconds()), to});
}

// No hint while a handshake with that address is in progress: the alert could abort it.
bool Handshakes::send_restart_hint(const outside::Endpoint& to, Time now) {
  const IpAddress& address = to.remote.address;
  if (role_ != dtls::Role::acceptor || !admission_.allows(address)) return false;
  if (envelopes_.in_use() && !admission_.names(address) && peer_ != address) return false;
  if (entries_.contains(to.remote) || !hints_.take(address, peer_ == address, now)) return false;
  send({restart_hint.begin(), restart_hint.end()}, to, envelopes_.own_key());
  return true;
}

dtls::Admission::Decision Handshakes::admit(const SocketAddress& source, Time now) {
  const bool of_peer = peer_ == source.address;
  auto decision = admission_.admit(source.address, now, of_peer);
  if (decision.refused) return decision;
  entries_.erase(source);  // a new ClientHello from the same port replaces the handshake before it
  if (!make_room_for({source, now, of_peer, decision.first_contact})) {
    decision.refused = Drop::handshake_half_open;
  }
  return decision;
}

bool Handshakes::make_room_for(const HalfOpen& newcomer) {
  std::vector<HalfOpen> table;
  for (const auto& [source, entry] : entries_) {
    if (entry.association) continue;
    table.push_back({source, entry.begun, peer_ == source.address, entry.first_contact,
                     entry.handshake->peer_proved_key()});
  }
  const Place place = place_for(newcomer, table);
  if (place.evicted) {
    drops_.add(Drop::handshake_half_open);
    entries_.erase(*place.evicted);
  }
  return place.granted;
}

void Handshakes::feed(Entries::iterator entry, ConstBytes datagram, Time now) {
  auto& handshake = *entry->second.handshake;
  entry->second.last_received = now;
  handshake.receive(datagram, now);
  entry->second.answered = handshake.answered();
  for (const Drop reason : handshake.take_drops()) drops_.add(reason);
  proceed(entry);
}

void Handshakes::proceed(Entries::iterator entry) {
  Entry& it = entry->second;
  if (it.handshake->progress() == dtls::Progress::completed && !it.association) {
    it.association = ++last_id_;
    events_.emplace_back(HandshakeCompleted{last_id_, it.handshake->established(), it.peer});
  }
  for (auto& datagram : it.handshake->take_output()) {
    send(std::move(datagram), it.peer, it.handshake->psk());
  }
  if (it.handshake->progress() == dtls::Progress::failed) {
    return fail(entry, it.handshake->failure());
  }
  // The acceptor's Finished was the last flight: the initiator has none to retransmit.
  if (it.association && role_ == dtls::Role::initiator) entries_.erase(entry);
}

// A copy of the failure, because the handshake that holds it is erased.
void Handshakes::fail(Entries::iterator entry, dtls::HandshakeFailure failure) {
  const SocketAddress peer = entry->first;
  const bool completed = entry->second.association.has_value();
  entries_.erase(entry);
  // After completion only the retransmission of the last flight ends.
  if (!completed) failed(peer, std::move(failure));
}

void Handshakes::failed(const SocketAddress& peer, dtls::HandshakeFailure failure) {
  drops_.add(failure.reason);
  events_.emplace_back(HandshakeFailed{peer, std::move(failure)});
}

void Handshakes::refuse(const HandshakeCompleted& completed, const std::string& text) {
  entries_.erase(completed.peer.remote);
  std::erase_if(events_, [&](const HandshakeEvent& event) {
    const auto* const flight = std::get_if<SendHandshake>(&event);
    return flight != nullptr && flight->to == completed.peer;
  });
  failed(completed.peer.remote, {Drop::handshake_failed, text});
}

std::optional<Time> Handshakes::deadline_of(const Entry& entry) {
  if (entry.association) return entry.begun + dtls::Handshake::time_limit;
  auto deadline = entry.handshake->deadline();
  if (!entry.answered)
    deadline = std::min(deadline.value_or(Time::max()), entry.begun + unanswered);
  return deadline;
}

std::optional<Time> Handshakes::deadline() const {
  std::optional<Time> first;
  for (const auto& [address, entry] : entries_) {
    const auto deadline = deadline_of(entry);
    if (deadline && (!first || *deadline < *first)) first = deadline;
  }
  return first;
}

void Handshakes::on_timer(Time now) {
  for (auto next = entries_.begin(); next != entries_.end();) {
    const auto entry = next++;
    const auto deadline = deadline_of(entry->second);
    if (!deadline || now < *deadline) continue;
    if (entry->second.association) {
      entries_.erase(entry);
    } else if (!entry->second.answered && now - entry->second.begun >= unanswered) {
      fail(entry, {Drop::handshake_timed_out,
                   "no answer" + entry->second.handshake->unproven_alert() +
                       (envelopes_.in_use() ? "; a peer with another PSK, or with a clock that "
                                              "differs by more than 5 minutes, does not answer"
                                            : "; a peer with a PSK does not answer without it"),
                   dtls::no_answer});
    } else {
      entry->second.handshake->on_timer(now);
      entry->second.answered = entry->second.handshake->answered();
      proceed(entry);
    }
  }
}

bool Handshakes::retransmitted_since(datapath::AssociationId id, Time since) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.association == id && entry.second.last_received > since;
  });
}

void Handshakes::finish(datapath::AssociationId id) {
  std::erase_if(entries_, [id](const auto& entry) {
    return entry.second.association && *entry.second.association <= id;
  });
}

}  // namespace routevpn::session
