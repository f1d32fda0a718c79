#include "pair.hpp"

#include <algorithm>

#include "../../../src/dtls/records.hpp"
#include "virtual_clock.hpp"

namespace routevpn::test {

using dtls::Progress;

Identities make_identities(KeyKind key, const std::string& ciphers,
                           const std::vector<std::string>& psks) {
  TestCa ca;
  const auto make = [&](const char* name, const char* peer) {
    return make_identity(ca.issue({.name = name, .key = key}), ca.certificate(), peer, ciphers, "",
                         psks);
  };
  return {make("V3-1", "V3-2"), make("V3-2", "V3-1")};
}

Pair::Pair(const Identities& identities)
    : now(std::chrono::hours(1)), listener_(identities.acceptor) {
  if (!identities.acceptor->psks().empty()) acceptor_psk = identities.acceptor->psks().front();
  virtual_clock::set(now);
  initiator = dtls::Handshake::initiate(identities.initiator, now);
}

void Pair::send(const dtls::Datagrams& datagrams, bool to_acceptor) {
  auto& log = to_acceptor ? from_initiator : from_acceptor;
  for (const auto& datagram : datagrams) {
    log.push_back(datagram);
    for (int i = copies({sent_++, to_acceptor, datagram}); i > 0; --i)
      in_flight_.push_back({to_acceptor, datagram});
  }
}

void Pair::collect() {
  send(initiator->take_output(), true);
  if (acceptor != nullptr) send(acceptor->take_output(), false);
}

void Pair::deliver_to_acceptor(const Datagram& datagram) {
  const auto random = dtls::client_hello_random(datagram);
  const bool known =
      acceptor != nullptr && (!random || std::ranges::equal(*random, acceptor->client_random()));
  if (known) {
    acceptor->receive(datagram, now);
  } else if (random) {
    auto answer = listener_.receive(datagram, initiator_address, now);
    if (answer.handshake != nullptr) {
      acceptor = std::move(answer.handshake);
      acceptor->use_psk(acceptor_psk);
    }
    send(answer.output, false);
  }
}

bool Pair::wait_for_timer() {
  std::optional<Time> next = initiator->deadline();
  if (acceptor != nullptr && acceptor->deadline()) {
    next = next ? std::min(*next, *acceptor->deadline()) : acceptor->deadline();
  }
  if (!next) return false;
  now = std::max(now, *next);
  virtual_clock::set(now);
  const auto count = [&](dtls::TimerOutcome outcome) {
    if (outcome == dtls::TimerOutcome::retransmitted) ++retransmissions;
  };
  count(initiator->on_timer(now));
  if (acceptor != nullptr) count(acceptor->on_timer(now));
  return true;
}

void Pair::deliver_spoofed() {
  if (!spoofed) return;
  for (const auto& datagram : spoofed(true)) deliver_to_acceptor(datagram);
  for (const auto& datagram : spoofed(false)) initiator->receive(datagram, now);
}

bool Pair::step() {
  collect();
  if (in_flight_.empty()) return wait_for_timer();
  auto batch = std::exchange(in_flight_, {});
  if (newest_first) std::reverse(batch.begin(), batch.end());
  for (const auto& one : batch) {
    deliver_spoofed();
    if (one.to_acceptor) {
      deliver_to_acceptor(one.datagram);
    } else {
      initiator->receive(one.datagram, now);
    }
  }
  return true;
}

bool Pair::run() {
  while (step()) {
  }
  return acceptor != nullptr && initiator->progress() == Progress::completed &&
         acceptor->progress() == Progress::completed;
}

std::vector<SealedRecord> epoch_one_records(const std::vector<Datagram>& datagrams) {
  std::vector<SealedRecord> found;
  for (const auto& datagram : datagrams) {
    ConstBytes rest = datagram;
    while (const auto record = dtls::take_record(rest)) {
      if (record->header.epoch != 1) continue;
      found.push_back({record->header.sequence, {record->whole.begin(), record->whole.end()}});
    }
  }
  return found;
}

}  // namespace routevpn::test
