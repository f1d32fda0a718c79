// Who gets a place among the half-open handshakes of an acceptor, and who gives way.
#include "routevpn/session/handshakes.hpp"

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "unit/dtls/pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

struct Door : HandshakeOwner {
  Identities identities = make_identities();
  DropCounters drops;
  Time now{1h};
  std::vector<std::pair<SocketAddress, Datagram>> sent;
  std::optional<IpAddress> peer;
  AssociationId associations = 0;
  bool out_of_memory = false;
  Handshakes handshakes{dtls::Role::acceptor, identities.acceptor, {}, *this, drops};

  Door() { virtual_clock::set(now); }
  void send_handshake(ConstBytes datagram, const outside::Endpoint& to) override {
    sent.emplace_back(to.remote, Datagram(datagram.begin(), datagram.end()));
  }
  AssociationId established(const dtls::Established&, const outside::Endpoint&, Time) override {
    if (out_of_memory) throw SystemError("no memory");
    return ++associations;
  }
  void handshake_failed(const dtls::HandshakeFailure&, const outside::Endpoint&, Time) override {}
  [[nodiscard]] bool is_peer(const IpAddress& address) const override { return peer == address; }

  void pass(Duration time) {
    now += time;
    virtual_clock::set(now);
  }
  [[nodiscard]] std::uint64_t gave_way() const { return drops.get(Drop::handshake_half_open); }
};

// Somebody who calls the acceptor from an address of his own.
struct Caller {
  Caller(Door& door_, const std::string& address)
      : door(door_),
        from{{*IpAddress::parse(address), 7754}, std::nullopt},
        handshake(dtls::Handshake::initiate(door.identities.initiator, door.now)) {}

  // Says what there is to say, and hears the answers.
  void speak() {
    door.sent.clear();
    for (const auto& datagram : handshake->take_output()) {
      door.handshakes.receive(datagram, from, door.now);
    }
    for (const auto& [to, datagram] : std::exchange(door.sent, {})) {
      if (to == from.remote) handshake->receive(datagram, door.now);
    }
  }
  // Up to the acceptor's flight, which takes a place.
  void begin() {
    speak();
    speak();
  }
  [[nodiscard]] bool completes() {
    speak();
    return handshake->progress() == dtls::Progress::completed;
  }

  Door& door;
  outside::Endpoint from;
  std::unique_ptr<dtls::Handshake> handshake;
};

std::string in_network(int network, int host = 1) {
  return "10.0." + std::to_string(network) + "." + std::to_string(host);
}

}  // namespace

TEST_CASE("strangers who begin and never end keep nobody out") {
  Door door;
  std::vector<std::unique_ptr<Caller>> strangers;
  for (int i = 0; i < 16; ++i) {
    strangers.push_back(std::make_unique<Caller>(door, in_network(i)));
    strangers.back()->begin();
    door.pass(1ms);
  }
  CHECK(door.gave_way() == 0);
  Caller peer(door, "192.0.2.1");
  peer.begin();
  CHECK(door.gave_way() == 1);
  CHECK(peer.completes());
  CHECK_FALSE(strangers[0]->completes());  // the first of them
  CHECK(strangers[1]->completes());
}

TEST_CASE("a network's share is its own: the fifth takes the place of its first") {
  Door door;
  Caller other(door, in_network(9));
  other.begin();
  std::vector<std::unique_ptr<Caller>> same;
  for (int i = 1; i <= 5; ++i) {
    door.pass(1s);
    same.push_back(std::make_unique<Caller>(door, in_network(1, i)));
    same.back()->begin();
  }
  CHECK(door.gave_way() == 1);
  CHECK_FALSE(same[0]->completes());
  CHECK(same[1]->completes());
  CHECK(other.completes());
}

TEST_CASE("the peer in use gives way to nobody, and does not wait for a rate that others use up") {
  Door door;
  door.peer = IpAddress::parse("192.0.2.1");
  Caller peer(door, "192.0.2.1");
  peer.begin();
  std::vector<std::unique_ptr<Caller>> strangers;
  for (int i = 0; i < 150; ++i) {
    strangers.push_back(std::make_unique<Caller>(door, in_network(i)));
    strangers.back()->begin();
  }
  CHECK(door.drops.get(Drop::handshake_rate_limited) > 0);
  CHECK(peer.completes());
  Caller again(door, "192.0.2.1");
  again.begin();
  CHECK(again.completes());
}

TEST_CASE("the places have an end for the peer's own address, and for its neighbours") {
  Door door;
  door.peer = IpAddress::parse("192.0.2.1");
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::uint16_t i = 0; i < 6; ++i) {
    door.pass(1s);
    callers.push_back(std::make_unique<Caller>(door, "192.0.2.1"));
    callers.back()->from.remote.port = static_cast<std::uint16_t>(1000 + i);
    callers.back()->begin();
  }
  CHECK(door.gave_way() == 2);
  door.pass(1s);
  Caller neighbour(door, "192.0.2.2");
  neighbour.begin();
  CHECK(door.gave_way() == 3);  // it is the neighbour that has no place
  CHECK_FALSE(neighbour.completes());
  CHECK_FALSE(callers[1]->completes());
  CHECK(callers[2]->completes());
  CHECK(callers[5]->completes());
}

TEST_CASE("a refusal comes before the work: the signature of a ServerKeyExchange") {
  Door door;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < 6; ++i) {
    callers.push_back(std::make_unique<Caller>(door, in_network(1, i + 1)));
    callers.back()->begin();
  }
  CHECK(door.drops.get(Drop::handshake_rate_limited) == 1);
  CHECK_FALSE(callers.back()->completes());
}

TEST_CASE("a handshake whose association cannot be made is over, and its place is free") {
  Door door;
  Caller peer(door, "192.0.2.1");
  peer.begin();
  door.out_of_memory = true;
  CHECK_FALSE(peer.completes());
  CHECK(door.drops.get(Drop::handshake_failed) == 1);
  CHECK_FALSE(door.handshakes.deadline());
  door.out_of_memory = false;
  Caller again(door, "192.0.2.1");
  again.begin();
  CHECK(again.completes());
}

TEST_CASE("handshakes that are not completed are over when the identity changes") {
  Door door;
  Caller peer(door, "192.0.2.1");
  peer.begin();
  door.handshakes.replace_identity(door.identities.acceptor);
  CHECK_FALSE(peer.completes());
  CHECK(door.associations == 0);
}
