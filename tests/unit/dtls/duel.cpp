#include "duel.hpp"

#include <algorithm>
#include <utility>

#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"

#include "virtual_clock.hpp"

namespace routevpn::test {

using dtls::Progress;
using dtls::Role;

const Sides& plain_sides(Role ours) {
  static const auto made = [] {
    TestCa ca;
    const auto sides = [&](const std::string& own, const std::string& peer) {
      const Issued issued = ca.issue({.name = peer});
      return Sides{make_identity(ca.issue({.name = own}), ca.certificate(), peer),
                   std::make_shared<const scripted::Credentials>(issued.certificate, issued.key),
                   make_identity(issued, ca.certificate(), own)};
    };
    return std::pair(sides("V3-1", "V3-2"), sides("V3-2", "V3-1"));
  }();
  return ours == Role::initiator ? made.first : made.second;
}

Duel::Duel(Role ours, const Sides& sides, scripted::Deviation deviation)
    : peer(ours == Role::initiator ? Role::acceptor : Role::initiator, sides.peers,
           std::move(deviation)),
      now(std::chrono::hours(1)),
      listener_(sides.ours) {
  if (!sides.ours->psks().empty()) psk_ = sides.ours->psks().front();
  virtual_clock::set(now);
  if (ours == Role::initiator) {
    ours_ = dtls::Handshake::initiate(sides.ours, now);
  } else {
    peer.start();
  }
}

Progress Duel::progress() const {
  return ours_ == nullptr ? Progress::waiting : ours_->progress();
}

bool Duel::completed() const {
  return progress() == Progress::completed && peer.completed();
}

std::size_t Duel::sent_bytes() const {
  std::size_t bytes = 0;
  for (const auto& datagram : sent) bytes += datagram.size();
  return bytes;
}

std::string Duel::drops() const {
  std::string names;
  for (const Drop reason : drops_) names.append(name_of(reason)).append(" ");
  return names;
}

void Duel::collect() {
  if (ours_ == nullptr) return;
  for (const Drop reason : ours_->take_drops()) drops_.push_back(reason);
  for (auto& datagram : ours_->take_output()) {
    sent.push_back(datagram);
    in_flight_.push_back(std::move(datagram));
  }
}

void Duel::deliver(ConstBytes datagram) {
  received_bytes += datagram.size();
  if (ours_ != nullptr) {
    ours_->receive(datagram, now);
  } else {
    auto answer = listener_.receive(datagram, initiator_address, now);
    ours_ = std::move(answer.handshake);
    if (ours_ != nullptr && psk_ != nullptr) ours_->use_psk(psk_);
    for (auto& reply : answer.output) {
      sent.push_back(reply);
      in_flight_.push_back(std::move(reply));
    }
  }
  collect();
}

void Duel::exchange() {
  collect();
  for (;;) {
    const auto from_peer = peer.take_output();
    if (from_peer.empty() && in_flight_.empty()) return;
    for (const auto& datagram : from_peer) deliver(datagram);
    for (const auto& datagram : std::exchange(in_flight_, {})) peer.receive(datagram);
  }
}

void Duel::finish() {
  exchange();
  while (ours_ != nullptr && ours_->deadline()) {
    now = std::max(now, *ours_->deadline());
    virtual_clock::set(now);
    ours_->on_timer(now);
    exchange();
  }
}

Datagram seal_data(const dtls::Established& established, const std::string& text) {
  const std::size_t room = record::headroom(established.suite);
  record::Sealer sealer(record::CryptoBackend::openssl, established.suite, established.send,
                        established.first_send_sequence, established.explicit_nonce_base, 10);
  Datagram datagram(room + text.size() + record::tailroom);
  std::copy(text.begin(), text.end(), datagram.begin() + static_cast<std::ptrdiff_t>(room));
  const OutboundPacket packet{datagram.data() + room, static_cast<std::uint32_t>(text.size())};
  if (sealer.seal({&packet, 1}) != 1) datagram.clear();
  return datagram;
}

std::string open_data(const dtls::Established& established, Datagram datagram) {
  record::Opener opener(record::CryptoBackend::openssl, established.suite, established.receive);
  const auto split = record::split_first(datagram);
  if (split.fault) return "(not a record)";
  const auto opened = opener.open(split.header, split.record);
  if (opened.fault) return "(not authentic)";
  return {opened.payload.begin(), opened.payload.end()};
}

}  // namespace routevpn::test
