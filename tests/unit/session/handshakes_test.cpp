// The half-open table of an acceptor: which handshakes get an entry, and which are evicted.
#include "routevpn/session/handshakes.hpp"

#include "catch.hpp"
#include "unit/dtls/pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

struct Acceptor {
  Time now = virtual_clock::begin(Time(1h));
  Identities identities = make_identities();
  DropCounters drops;
  std::vector<std::pair<SocketAddress, Datagram>> sent;
  int associations = 0;
  std::string order;  // of the last datagram's events: C completed, f flight, k flight with
                      // ChangeCipherSpec
  int failures = 0;
  bool out_of_memory = false;
  Handshakes handshakes{dtls::Role::acceptor, identities.acceptor, {}, drops};
  void receive(ConstBytes datagram, const outside::Endpoint& from) {
    order.clear();
    handshakes.receive(datagram, from, now);
    while (const auto event = handshakes.take_event()) std::visit(*this, *event);
  }
  void operator()(const SendHandshake& flight) {
    const auto type = static_cast<record::ContentType>(flight.datagram[0]);
    order += type == record::ContentType::change_cipher_spec ? 'k' : 'f';
    sent.emplace_back(flight.to.remote, flight.datagram);
  }
  void operator()(const HandshakeCompleted& completed) {
    order += 'C';
    if (out_of_memory) return handshakes.refuse(completed, "no memory");
    ++associations;
  }
  void operator()(const HandshakeFailed&) { ++failures; }

  void pass(Duration time) {
    now += time;
    virtual_clock::set(now);
  }
  [[nodiscard]] std::uint64_t evicted() const { return drops.get(Drop::handshake_half_open); }
};

// An initiator that connects to the acceptor from an address of its own.
struct Initiator {
  Initiator(Acceptor& acceptor_, const std::string& address)
      : acceptor(acceptor_),
        from{{*IpAddress::parse(address), 7754}, std::nullopt},
        handshake(dtls::Handshake::initiate(acceptor.identities.initiator, acceptor.now)) {}

  // Sends its flight and receives the answers.
  void exchange() {
    acceptor.sent.clear();
    for (const auto& datagram : handshake->take_output()) acceptor.receive(datagram, from);
    for (const auto& [to, datagram] : std::exchange(acceptor.sent, {})) {
      if (to == from.remote) handshake->receive(datagram, acceptor.now);
    }
  }
  // Ends with the acceptor's flight: the half-open table has an entry.
  void begin() {
    exchange();
    exchange();
  }
  [[nodiscard]] bool completes() {
    exchange();
    return handshake->progress() == dtls::Progress::completed;
  }

  Acceptor& acceptor;
  outside::Endpoint from;
  std::unique_ptr<dtls::Handshake> handshake;
};

// Each network is of another /16.
std::string in_network(int network, int host = 1) {
  return "10." + std::to_string(network) + ".0." + std::to_string(host);
}

}  // namespace

TEST_CASE("handshakes that never complete do not lock out new ones") {
  Acceptor acceptor;
  std::vector<std::unique_ptr<Initiator>> others;
  for (int i = 0; i < 16; ++i) {
    others.push_back(std::make_unique<Initiator>(acceptor, in_network(i)));
    others.back()->begin();
    acceptor.pass(1ms);
  }
  CHECK(acceptor.evicted() == 0);
  Initiator peer(acceptor, "192.0.2.1");
  peer.begin();
  CHECK(acceptor.evicted() == 1);
  CHECK(peer.completes());
  CHECK_FALSE(others[0]->completes());  // the oldest entry
  CHECK(others[1]->completes());
}

TEST_CASE("the fifth half-open handshake of a network evicts its first") {
  Acceptor acceptor;
  Initiator other(acceptor, in_network(9));
  other.begin();
  std::vector<std::unique_ptr<Initiator>> same;
  for (int i = 1; i <= 5; ++i) {
    acceptor.pass(1s);
    same.push_back(std::make_unique<Initiator>(acceptor, in_network(1, i)));
    same.back()->begin();
  }
  CHECK(acceptor.evicted() == 1);
  CHECK_FALSE(same[0]->completes());
  CHECK(same[1]->completes());
  CHECK(other.completes());
}

TEST_CASE(
    "handshakes of the peer's last address are not evicted and not subject to the total rate") {
  Acceptor acceptor;
  acceptor.handshakes.remember_peer(*IpAddress::parse("192.0.2.1"));
  Initiator peer(acceptor, "192.0.2.1");
  peer.begin();
  std::vector<std::unique_ptr<Initiator>> others;
  for (int i = 0; i < 150; ++i) {
    others.push_back(std::make_unique<Initiator>(acceptor, in_network(i % 20, 1 + i / 20)));
    others.back()->begin();
  }
  CHECK(acceptor.drops.get(Drop::handshake_rate_limited) > 0);
  CHECK(peer.completes());
  Initiator second(acceptor, "192.0.2.1");
  second.begin();
  CHECK(second.completes());
}

TEST_CASE("the peer's last address has four places, which its network does not share") {
  Acceptor acceptor;
  acceptor.handshakes.remember_peer(*IpAddress::parse("192.0.2.1"));
  std::vector<std::unique_ptr<Initiator>> initiators;
  for (std::uint16_t i = 0; i < 6; ++i) {
    acceptor.pass(1s);
    initiators.push_back(std::make_unique<Initiator>(acceptor, "192.0.2.1"));
    initiators.back()->from.remote.port = static_cast<std::uint16_t>(1000 + i);
    initiators.back()->begin();
  }
  CHECK(acceptor.evicted() == 2);
  acceptor.pass(1s);
  Initiator neighbour(acceptor, "192.0.2.2");
  neighbour.begin();
  CHECK(acceptor.evicted() == 2);
  CHECK(neighbour.completes());
  CHECK_FALSE(initiators[1]->completes());
  CHECK(initiators[2]->completes());
  CHECK(initiators[5]->completes());
}

TEST_CASE("a rate-limited handshake is refused before the signature of a ServerKeyExchange") {
  Acceptor acceptor;
  std::vector<std::unique_ptr<Initiator>> initiators;
  for (int i = 0; i < 6; ++i) {
    initiators.push_back(std::make_unique<Initiator>(acceptor, in_network(1, i + 1)));
    initiators.back()->begin();
  }
  CHECK(acceptor.drops.get(Drop::handshake_rate_limited) == 1);
  CHECK_FALSE(initiators.back()->completes());
}

TEST_CASE("hellos in the peer's name get a bounded number of answers, and stop no handshake") {
  Acceptor acceptor;
  Initiator peer(acceptor, "192.0.2.1");
  peer.exchange();  // it has its cookie
  const auto hello =
      dtls::Handshake::initiate(acceptor.identities.initiator, acceptor.now)->take_output().front();
  outside::Endpoint forged = peer.from;
  forged.remote.port = 1;
  constexpr std::size_t in_a_second = 50'000;
  for (std::size_t i = 0; i < in_a_second; ++i) {
    acceptor.receive(hello, forged);
    acceptor.pass(20us);
  }
  CHECK(acceptor.sent.size() >= 5000);
  CHECK(acceptor.sent.size() <= 5000 + 64);
  CHECK(acceptor.drops.get(Drop::handshake_rate_limited) == in_a_second - acceptor.sent.size());
  peer.exchange();
  CHECK(peer.completes());
  // Another source may share the slot of the flood, but not all can.
  int answered = 0;
  for (int i = 0; i < 8; ++i) {
    acceptor.sent.clear();
    acceptor.receive(hello, {{*IpAddress::parse(in_network(i)), 1}, std::nullopt});
    answered += static_cast<int>(acceptor.sent.size());
  }
  CHECK(answered > 0);
  acceptor.pass(1ms);
  Initiator again(acceptor, "192.0.2.1");
  again.begin();
  CHECK(again.completes());
}

TEST_CASE(
    "a handshake whose association cannot be made fails, sends no last flight and frees its "
    "entry") {
  Acceptor acceptor;
  Initiator peer(acceptor, "192.0.2.1");
  peer.begin();
  acceptor.out_of_memory = true;
  CHECK_FALSE(peer.completes());
  CHECK(acceptor.drops.get(Drop::handshake_failed) == 1);
  CHECK(acceptor.failures == 1);
  CHECK_FALSE(acceptor.handshakes.deadline());
  acceptor.out_of_memory = false;
  Initiator second(acceptor, "192.0.2.1");
  second.begin();
  CHECK(second.completes());
}

TEST_CASE("a new identity ends handshakes in progress") {
  Acceptor acceptor;
  Initiator peer(acceptor, "192.0.2.1");
  peer.begin();
  acceptor.handshakes.replace_identity(acceptor.identities.acceptor);
  CHECK_FALSE(peer.completes());
  CHECK(acceptor.associations == 0);
}

TEST_CASE(
    "a handshake is reported as completed before the flight that lets the peer use its keys") {
  Acceptor acceptor;
  Initiator peer(acceptor, "192.0.2.1");
  peer.begin();
  CHECK(acceptor.order == "f");
  REQUIRE(peer.completes());
  CHECK(acceptor.order == "Ck");
}
