#include "routevpn/session/path_follower.hpp"

#include <map>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {

constexpr unsigned overhead = 20 + 8 + 13 + 8 + 16;  // IPv4, UDP, record header, nonce, tag
const SocketAddress peer{*IpAddress::parse("192.0.2.1"), 7754};
const SocketAddress roamed{*IpAddress::parse("198.51.100.1"), 7754};

// Runs a PathFollower and records the outputs by kind.
struct Follower {
  std::atomic<std::uint64_t> large_datagrams{0};
  Outputs outputs;
  PathFollower path{1000ms, large_datagrams, outputs};
  Time now{1h};
  std::vector<SocketAddress> lookups;
  std::vector<std::uint32_t> limits;
  std::vector<std::pair<unsigned, unsigned>> path_mtus;     // outer packet, inside packet
  std::map<std::uint32_t, std::uint32_t> padded_by_number;  // echo requests of the last drain

  void drain() {
    padded_by_number.clear();
    for (const auto& output : outputs) {
      if (const auto* const lookup = std::get_if<LookUpRoute>(&output)) {
        lookups.push_back(lookup->remote);
      } else if (const auto* const changed = std::get_if<PathMtuChanged>(&output)) {
        path_mtus.emplace_back(changed->path_mtu, changed->payload_bytes);
      } else if (const auto* const command = std::get_if<datapath::LaneCommand>(&output)) {
        if (const auto* const limit = std::get_if<datapath::LimitPayload>(command)) {
          limits.push_back(limit->bytes);
        } else {
          const auto& request = std::get<datapath::SendControl>(*command);
          padded_by_number[request.message.sequence & ~datapath::path_probe] = request.padded_bytes;
        }
      }
    }
    outputs.clear();
  }
  void follow(const SocketAddress& remote, bool control_messages = true) {
    AssociationStatus association;
    association.endpoint.remote = remote;
    association.control_messages = control_messages;
    path.follow(association);
    drain();
  }
  void route(const SocketAddress& remote, unsigned mtu) {
    path.on_route(remote, {mtu, mtu}, now);
    drain();
  }
  // Sends the probes that are due now, and delivers every reply.
  void probe() {
    path.probe({}, now);
    drain();
    for (const auto& [number, padded] : std::map(padded_by_number)) path.echo_replied(number, now);
    drain();
  }
  [[nodiscard]] bool probes_now() const { return path.probe_due() && *path.probe_due() <= now; }
};

}  // namespace

TEST_CASE("a new path: route lookup, the least limit, then the route's MTU once it is probed") {
  Follower follower;
  follower.follow(peer);
  CHECK(follower.lookups == std::vector{peer});
  CHECK(follower.path.follows(peer));
  CHECK_FALSE(follower.path.follows(roamed));
  follower.route(peer, 1500);
  CHECK(follower.limits == std::vector<std::uint32_t>{576 - overhead});
  CHECK(follower.path_mtus == std::vector{std::pair(1500U, 1500U - overhead)});
  REQUIRE(follower.probes_now());
  follower.path.probe({}, follower.now);
  follower.drain();
  REQUIRE(follower.padded_by_number.size() == 2);
  const auto [number, padded] = *follower.padded_by_number.begin();
  CHECK(padded == 1500 - overhead);
  follower.path.echo_replied(number, follower.now);
  follower.drain();
  CHECK(follower.limits.back() == 1500 - overhead);
  CHECK(follower.path_mtus.size() == 1);  // the reported value did not change
}

TEST_CASE("a route to another address than the peer's is ignored") {
  Follower follower;
  follower.follow(peer);
  follower.route(roamed, 1400);
  CHECK_FALSE(follower.path.probe_due());
  CHECK(follower.path_mtus.empty());
}

TEST_CASE("after a rekey the path keeps its size, after a roam the search begins again") {
  Follower follower;
  follower.follow(peer);
  follower.route(peer, 1500);
  follower.probe();
  follower.follow(peer);
  follower.route(peer, 1500);
  CHECK(follower.limits == std::vector<std::uint32_t>{576 - overhead, 1500 - overhead});
  CHECK_FALSE(follower.probes_now());
  follower.follow(roamed);
  follower.route(roamed, 1400);
  CHECK(follower.limits.back() == 576 - overhead);
  CHECK(follower.path_mtus.back() == std::pair(1400U, 1400U - overhead));
  CHECK(follower.probes_now());
}

TEST_CASE("a link that returns to the same peer tries the size found before") {
  Follower follower;
  follower.follow(peer);
  follower.route(peer, 1400);
  follower.probe();
  follower.path.end();
  CHECK_FALSE(follower.path.probe_due());
  follower.follow(peer);
  follower.route(peer, 1500);
  follower.path.probe({}, follower.now);
  follower.drain();
  CHECK(follower.padded_by_number.begin()->second == 1400 - overhead);
}

TEST_CASE("large datagrams have the size checked 4 times per keepalive, idle links at every 10th") {
  Follower follower;
  follower.follow(peer);
  follower.route(peer, 1500);
  follower.probe();
  for (int keepalive = 1; keepalive < 10; ++keepalive) {
    follower.path.check(follower.now);
    CHECK_FALSE(follower.probes_now());
  }
  follower.path.check(follower.now);
  CHECK(follower.probes_now());
  CHECK_FALSE(follower.path.check_due());
  follower.probe();
  REQUIRE_FALSE(follower.probes_now());
  ++follower.large_datagrams;
  follower.path.check(follower.now);
  CHECK(follower.probes_now());
  CHECK(follower.path.check_due() == follower.now + 250ms);
  follower.path.check(follower.now);  // no large datagram since
  CHECK_FALSE(follower.path.check_due());
  ++follower.large_datagrams;
  follower.path.check(follower.now);
  CHECK(follower.path.check_due());
  follower.path.end();
  CHECK_FALSE(follower.path.check_due());
}

TEST_CASE("a report of the peer's path or of our own interface lowers the limit at once") {
  Follower follower;
  follower.follow(peer);
  follower.route(peer, 1500);
  follower.probe();
  follower.path.too_big({roamed.address, 1300}, follower.now);
  follower.drain();
  CHECK(follower.limits.back() == 1500 - overhead);
  follower.path.too_big({peer.address, 1300}, follower.now);
  follower.drain();
  CHECK(follower.limits.back() == 1300 - overhead);
  CHECK(follower.path_mtus.size() == 1);  // not verified yet
  follower.path.too_big({peer.address, 1200, true}, follower.now);
  follower.drain();
  CHECK(follower.limits.back() == 576 - overhead);  // no size above 576 has passed since
}

TEST_CASE("the route is looked up again after 10 minutes, and the search ends at the new MTU") {
  Follower follower;
  follower.follow(peer);
  follower.route(peer, 1400);
  follower.probe();
  follower.now += PathMtu::raise_interval;
  REQUIRE(follower.probes_now());
  follower.probe();
  CHECK(follower.lookups.size() == 2);
  follower.route(peer, 1500);
  follower.probe();
  CHECK(follower.path_mtus.back() == std::pair(1500U, 1500U - overhead));
}

TEST_CASE("a peer without control messages gets no probe and no limit: route and ICMP decide") {
  Follower follower;
  follower.follow(peer, false);
  follower.route(peer, 1400);
  CHECK(follower.path_mtus == std::vector{std::pair(1400U, 1400U - overhead)});
  follower.probe();
  CHECK(follower.padded_by_number.empty());
  follower.path.too_big({peer.address, 1300}, follower.now);
  follower.drain();
  CHECK(follower.path_mtus.back() == std::pair(1300U, 1300U - overhead));
  CHECK(follower.limits.empty());
}
