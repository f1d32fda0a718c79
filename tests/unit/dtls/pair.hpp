// An initiator and an acceptor in memory, over a network that the test may disturb.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "routevpn/dtls/listener.hpp"

#include "test_pki.hpp"

namespace routevpn::test {

using Datagram = std::vector<std::uint8_t>;

// Two identities of one CA that expect each other: V3-1 the initiator, V3-2 the acceptor.
struct Identities {
  std::shared_ptr<const dtls::Identity> initiator;
  std::shared_ptr<const dtls::Identity> acceptor;
};
// `psks`: see make_identity().
Identities make_identities(KeyKind key = KeyKind::p256, const std::string& ciphers = "",
                           const std::vector<std::string>& psks = {});

inline const SocketAddress initiator_address{*IpAddress::parse("192.0.2.1"), 7754, 0};

struct Sent {
  std::size_t index;  // counted from 0, of either end
  bool by_initiator;
  const Datagram& datagram;
};

class Pair {
 public:
  explicit Pair(const Identities& identities);

  // How many times a datagram arrives.
  std::function<int(const Sent&)> copies = [](const Sent&) { return 1; };
  bool newest_first = false;  // datagrams in flight arrive in reverse order

  // What an attacker sends to the acceptor, or to the initiator, before each datagram arrives at
  // either.
  std::function<std::vector<Datagram>(bool to_acceptor)> spoofed;

  // One round trip's half: what is in flight arrives. False: both ends have completed or failed.
  bool step();
  // Runs until both ends have completed or failed. The clock jumps to the next deadline whenever no
  // datagram is in flight. True if both have completed.
  bool run();

  Time now;
  std::unique_ptr<dtls::Handshake> initiator;
  std::unique_ptr<dtls::Handshake> acceptor;  // set once the cookie was returned
  dtls::PskPtr acceptor_psk;                  // of the envelope that the ClientHello came in
  std::vector<Datagram> from_initiator;       // all datagrams sent
  std::vector<Datagram> from_acceptor;
  int retransmissions = 0;

 private:
  void collect();
  void deliver_to_acceptor(const Datagram& datagram);
  void deliver_spoofed();
  bool wait_for_timer();
  void send(const dtls::Datagrams& datagrams, bool to_acceptor);

  dtls::Listener listener_;
  struct InFlight {
    bool to_acceptor;
    Datagram datagram;
  };
  std::vector<InFlight> in_flight_;
  std::size_t sent_ = 0;
};

struct SealedRecord {
  std::uint64_t sequence;
  Datagram bytes;  // header and fragment
};
// The epoch 1 records in these datagrams.
std::vector<SealedRecord> epoch_one_records(const std::vector<Datagram>& datagrams);

}  // namespace routevpn::test
