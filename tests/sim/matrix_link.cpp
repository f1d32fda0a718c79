// Runs the rows of the negative matrix against a link in use: as a renewal, and as an attempt of a
// stranger. Whatever the scripted peer does, the link must not notice.
#include <algorithm>
#include <memory>
#include <vector>

#include "catch.hpp"
#include "sim/world.hpp"
#include "unit/dtls/matrix.hpp"

namespace routevpn::test {

namespace {

using dtls::Role;
using namespace std::chrono_literals;

constexpr auto application_data = record::ContentType::application_data;

bool is_data(ConstBytes datagram) {
  return !datagram.empty() && datagram[0] == static_cast<std::uint8_t>(application_data);
}

// One link with traffic. `attacked`: the end that the scripted peer deals with.
class Link {
 public:
  Link(Role ours, const Sides& sides, const outside::Endpoint& peers_address)
      : attacked_(ours == Role::initiator ? 0 : 1),
        from_(peers_address),
        world_({}, ours == Role::initiator ? sides.ours : sides.other,
               ours == Role::initiator ? sides.other : sides.ours) {
    REQUIRE(world_.run_until([&] { return world_.both_up(); }, 2s));
    world_.traffic_interval = 100ms;
    world_.packet_bytes = 100;
    world_.diverter = [this](int from, const outside::Endpoint& to, ConstBytes datagram) {
      if (from != attacked_ || to.remote != from_.remote || is_data(datagram)) return false;
      to_peer_.emplace_back(datagram.begin(), datagram.end());
      return true;
    };
  }

  SimEnd& attacked() { return attacked_ == 0 ? world_.initiator() : world_.acceptor(); }
  session::SessionStatus status() { return test::status(attacked(), world_); }

  void give(std::vector<std::uint8_t> datagram) { attacked().receive(std::move(datagram), from_); }
  std::vector<Datagram> take() { return std::exchange(to_peer_, {}); }
  void run(Duration duration) { world_.run(duration); }

  void check_untouched() {
    world_.traffic_interval.reset();
    world_.run(1s);
    CHECK(world_.both_up());
    for (SimEnd* end : {&world_.initiator(), &world_.acceptor()}) {
      CHECK(end->carrier_changes == 1);
      const auto now = test::status(*end, world_);
      CHECK(now.handshakes == 1);
      CHECK(now.rekeys == 0);
      CHECK(now.roams == 0);
      CHECK(now.flaps == 0);
    }
    CHECK(world_.initiator().delivered_packets == world_.acceptor().sent_packets);
    CHECK(world_.acceptor().delivered_packets == world_.initiator().sent_packets);
    CHECK(world_.violations.empty());
  }

 private:
  int attacked_;
  outside::Endpoint from_;
  std::vector<Datagram> to_peer_;
  World world_;
};

void exchange(Link& link, scripted::Peer& peer) {
  for (bool active = true; active;) {
    const auto from_peer = peer.take_output();
    for (const auto& datagram : from_peer) link.give(datagram);
    const auto to_peer = link.take();
    for (const auto& datagram : to_peer) peer.receive(datagram);
    active = !from_peer.empty() || !to_peer.empty();
  }
}

void send_data(Link& link, scripted::Peer& peer) {
  link.give(peer.seal(application_data, scripted::Octets{0x45, 0, 0, 20}));
}

Drop reason_of(const Row& row) {
  return row.ending == Ending::times_out ? Drop::handshake_timed_out : row.reason;
}

void attack_acceptor(const Sides& sides, const Row& row, const outside::Endpoint& from) {
  Link link(Role::acceptor, sides, from);
  scripted::Peer peer(Role::initiator, sides.peers, row.deviation);
  peer.start();
  exchange(link, peer);
  send_data(link, peer);
  link.run(row.ending == Ending::times_out ? 11s : 1s);
  send_data(link, peer);
  CHECK(link.attacked().drops(reason_of(row)) == (row.ending == Ending::no_handshake ? 0 : 1));
  CHECK_FALSE(peer.completed());
  link.check_untouched();
}

// New credentials make the initiator renew at once. Each ClientHello with a new random begins an
// attempt, which gets a new scripted peer.
void attack_initiator(const Sides& sides, const Row& row) {
  Link link(Role::initiator, sides, World::address(1));
  std::unique_ptr<scripted::Peer> peer;
  scripted::Octets random;
  link.attacked().replace_identity(sides.ours);
  for (Duration passed{}; link.status().renewal_failure.empty() && passed < 11s; passed += 10ms) {
    link.run(10ms);
    for (const auto& datagram : link.take()) {
      const auto found = dtls::client_hello_random(datagram);
      if (found && !std::ranges::equal(*found, random)) {
        random.assign(found->begin(), found->end());
        peer = std::make_unique<scripted::Peer>(Role::acceptor, sides.peers, row.deviation);
      }
      if (peer != nullptr) peer->receive(datagram);
    }
    if (peer != nullptr) exchange(link, *peer);
  }
  REQUIRE(peer != nullptr);
  send_data(link, *peer);
  INFO("renewal: " << link.status().renewal_failure);
  CHECK(link.attacked().drops(reason_of(row)) == 1);
  if (row.ending == Ending::refused) {
    CHECK_THAT(link.status().renewal_failure, ContainsSubstring(row.words));
  }
  link.check_untouched();
}

}  // namespace

// A row that completes is no attack.
void check_row(Role ours, const Sides& sides, const Row& row) {
  if (row.ending == Ending::completes) return;
  INFO("row: " << row.name << (ours == Role::acceptor ? " (acceptor)" : " (initiator)"));
  if (ours == Role::initiator) return attack_initiator(sides, row);
  const outside::Endpoint stranger{{IpAddress::v4({198, 51, 100, 7}), 7754}, std::nullopt};
  attack_acceptor(sides, row, stranger);
  attack_acceptor(sides, row, World::address(0));
}

void check_rows(Role ours, const std::vector<Row>& rows) {
  for (const Row& row : rows) check_row(ours, plain_sides(ours), row);
}

}  // namespace routevpn::test
