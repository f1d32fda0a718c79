#include "routevpn/session/handshakes.hpp"

#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/session/restart_hint.hpp"

namespace routevpn::session {

namespace {

// An alert in epoch 0 says nothing that can be believed once there is no handshake to end.
bool is_alert(ConstBytes datagram) {
  return !datagram.empty() && datagram[0] == static_cast<std::uint8_t>(record::ContentType::alert);
}

}  // namespace

Handshakes::Handshakes(dtls::Role role, std::shared_ptr<const dtls::Identity> identity,
                       std::vector<IpPrefix> allowed, HandshakeOwner& owner, DropCounters& drops)
    : role_(role),
      identity_(std::move(identity)),
      admission_(std::move(allowed)),
      owner_(owner),
      drops_(drops) {
  if (role_ == dtls::Role::acceptor) listener_.emplace(identity_);
}

void Handshakes::replace_identity(std::shared_ptr<const dtls::Identity> identity) {
  identity_ = std::move(identity);
  if (listener_) listener_->replace_identity(identity_);
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.association; });
}

void Handshakes::initiate(const outside::Endpoint& peer, Time now) {
  abandon();
  const auto entry =
      entries_.emplace(peer.remote, Entry{dtls::Handshake::initiate(identity_, now), peer, now});
  proceed(entry.first, now);
}

bool Handshakes::initiating() const {
  return role_ == dtls::Role::initiator &&
         std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& entry) { return !entry.second.association; });
}

bool Handshakes::heard() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& entry) {
    return !entry.second.association && entry.second.heard;
  });
}

void Handshakes::receive(ConstBytes datagram, const outside::Endpoint& from, Time now) {
  const auto entry = entries_.find(from.remote);
  const auto random = dtls::client_hello_random(datagram);
  if (random && role_ == dtls::Role::acceptor) {
    const bool repeated = entry != entries_.end() &&
                          std::ranges::equal(*random, entry->second.handshake->client_random());
    return repeated ? feed(entry, datagram, now) : client_hello(datagram, from, now);
  }
  if (entry != entries_.end()) return feed(entry, datagram, now);
  drops_.add(is_alert(datagram) ? Drop::plaintext_alert : Drop::handshake_unexpected);
}

// Everything up to the returned cookie is answered without remembering anything, to whom --allow
// permits it. Rates count behind the cookie: counted before it, a forger of source addresses could
// use up his victim's share.
void Handshakes::client_hello(ConstBytes datagram, const outside::Endpoint& from, Time now) {
  if (!admission_.allows(from.remote.address)) return drops_.add(Drop::handshake_not_allowed);
  auto answer =
      listener_->receive(datagram, from.remote, now, [&] { return admit(from.remote, now); });
  if (answer.malformed) drops_.add(Drop::handshake_malformed);
  if (answer.refused) drops_.add(*answer.refused);
  for (const auto& reply : answer.output) owner_.send_handshake(reply, from);
  if (answer.handshake == nullptr) return;
  const auto entry =
      entries_.emplace(from.remote, Entry{std::move(answer.handshake), from, now, true});
  proceed(entry.first, now);
}

// Not to whom a handshake is under way with: he knows already, and an alert could end it.
bool Handshakes::give_restart_hint(const outside::Endpoint& to, Time now) {
  if (role_ != dtls::Role::acceptor || now < next_restart_hint_) return false;
  if (!admission_.allows(to.remote.address) || entries_.contains(to.remote)) return false;
  next_restart_hint_ = now + restart_hint_interval;
  owner_.send_handshake(restart_hint, to);
  return true;
}

std::optional<Drop> Handshakes::admit(const SocketAddress& source, Time now) {
  const auto refused = admission_.admit(source.address, now, owner_.is_peer(source.address));
  if (refused) return refused;
  // A peer that starts again from the same port means it: what it had begun before is over.
  entries_.erase(source);
  if (!make_room_for(source.address)) return Drop::handshake_half_open;
  return std::nullopt;
}

// Whoever came first gives way to whoever comes, of its own network if that has its share of the
// places: those who begin and never end keep nobody out. An honest handshake needs three round
// trips, and newcomers are counted; the peer in use gives way to nobody but itself.
bool Handshakes::make_room_for(const IpAddress& source) {
  const IpPrefix network{source, source.is_v4() ? 24U : 64U};
  const bool is_peer = owner_.is_peer(source);
  std::size_t all = 0;
  std::size_t same = 0;
  auto oldest = entries_.end();
  auto oldest_same = entries_.end();
  const auto older = [this](Entries::iterator one, Entries::iterator than) {
    return than == entries_.end() || one->second.begun < than->second.begun;
  };
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const IpAddress& address = entry->first.address;
    if (entry->second.association) continue;
    ++all;
    if (network.contains(address)) ++same;
    if (!is_peer && owner_.is_peer(address)) continue;
    if (older(entry, oldest)) oldest = entry;
    if (network.contains(address) && older(entry, oldest_same)) oldest_same = entry;
  }
  const bool same_full = same >= dtls::Admission::max_half_open_per_source;
  if (!same_full && all < dtls::Admission::max_half_open) return true;
  const auto victim = same_full ? oldest_same : oldest;
  if (victim == entries_.end()) return false;
  drops_.add(Drop::handshake_half_open);
  entries_.erase(victim);
  return true;
}

void Handshakes::feed(Entries::iterator entry, ConstBytes datagram, Time now) {
  entry->second.heard = true;
  entry->second.last_repeat = now;
  entry->second.handshake->receive(datagram, now);
  proceed(entry, now);
}

void Handshakes::proceed(Entries::iterator entry, Time now) {
  Entry& it = entry->second;
  if (it.handshake->progress() == dtls::Progress::completed && !it.association) {
    // The peer may use the keys as soon as it has our last flight: they go in place before it.
    try {
      it.association = owner_.established(it.handshake->established(), it.peer, now);
    } catch (const SystemError& error) {  // no memory for it: the link in use goes on
      return fail(entry, {Drop::handshake_failed, error.what()}, now);
    }
  }
  for (const auto& datagram : it.handshake->take_output()) {
    owner_.send_handshake(datagram, it.peer);
  }
  if (it.handshake->progress() == dtls::Progress::failed) {
    return fail(entry, it.handshake->failure(), now);
  }
  // The acceptor's Finished ended it: there is nothing an initiator could be asked to repeat.
  if (it.association && role_ == dtls::Role::initiator) entries_.erase(entry);
}

void Handshakes::fail(Entries::iterator entry, const dtls::HandshakeFailure& failure, Time now) {
  const dtls::HandshakeFailure copy = failure;
  const outside::Endpoint peer = entry->second.peer;
  const bool completed = entry->second.association.has_value();
  entries_.erase(entry);
  if (completed) return;  // it only can no longer repeat its last flight
  drops_.add(copy.reason);
  owner_.handshake_failed(copy, peer, now);
}

std::optional<Time> Handshakes::deadline_of(const Entry& entry) {
  if (entry.association) return entry.begun + dtls::Handshake::patience;
  auto deadline = entry.handshake->deadline();
  if (!entry.heard) deadline = std::min(deadline.value_or(Time::max()), entry.begun + unanswered);
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
    } else if (!entry->second.heard && now - entry->second.begun >= unanswered) {
      const dtls::HandshakeFailure failure{Drop::handshake_timed_out,
                                           "no answer from " + entry->first.to_string()};
      fail(entry, failure, now);
      return;  // the owner may have begun another
    } else {
      const auto outcome = entry->second.handshake->on_timer(now);
      proceed(entry, now);
      if (outcome == dtls::TimerOutcome::failed) return;
    }
  }
}

bool Handshakes::repeated_since(datapath::AssociationId id, Time since) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.association == id && entry.second.last_repeat > since;
  });
}

void Handshakes::finish(datapath::AssociationId id) {
  std::erase_if(entries_, [id](const auto& entry) {
    return entry.second.association && *entry.second.association <= id;
  });
}

void Handshakes::abandon() {
  entries_.clear();
}

}  // namespace routevpn::session
