// A plain DTLS initiator that never renews its association.
#include <algorithm>

#include "routevpn/session/session.hpp"

#include "catch.hpp"
#include "unit/dtls/plain_peer.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

class PlainLink {
 public:
  explicit PlainLink(Duration rekey, int ends_in_days = 365) {
    plain_ = ca_.issue({.name = "plain", .ends_in_days = ends_in_days});
    auto settings = SessionSettings::of(options::LinkOptions{}, 0, 1);
    settings.role = Role::acceptor;
    settings.rekey = rekey;
    session_.emplace(std::move(settings),
                     make_identity(ca_.issue({"V1-1"}), ca_.certificate(), "plain"), lane_, drops_);
    session_->on_wall_clock(virtual_clock::wall(), now_);
    session_->start(now_);
    begun_ = now_;
    connect(initiator_address);
  }

  // A new plain peer with the same certificate, which sends nothing after its handshake.
  void connect(const SocketAddress& from) {
    peer_.emplace(Role::initiator, plain_, ca_.certificate());
    for (int flight = 0; flight < 5; ++flight) {
      for (const auto& bytes : peer_->take_output()) {
        datapath::HandshakeDatagram datagram;
        datagram.from = {from, std::nullopt};
        datagram.length = static_cast<std::uint32_t>(bytes.size());
        std::copy(bytes.begin(), bytes.end(), datagram.bytes.begin());
        session_->on_handshake(datagram, now_);
        drain();
      }
    }
    advance(now_ + Session::activate_after);
    REQUIRE(peer_->completed());
    REQUIRE(status().phase == Phase::up);
  }
  // The peer's last record came this long ago.
  void heard(Duration ago) { lane_.last_heard.store(now_ - ago); }

  // How long the link has been up when it ends; none: longer than `at_most`.
  std::optional<Duration> lives(Duration at_most) {
    const Time begun = now_;
    while (session_->status(now_).phase == Phase::up) {
      const auto due = session_->deadline();
      if (!due || *due > begun + at_most) return std::nullopt;
      advance(*due);
    }
    return now_ - begun_;
  }
  [[nodiscard]] SessionStatus status() const { return session_->status(now_); }

 private:
  void advance(Time to) {
    now_ = std::max(now_, to);
    virtual_clock::set(now_);
    session_->on_timer(now_);
    drain();
  }
  void drain() {
    while (const auto output = session_->take_output(now_)) {
      if (const auto* const flight = std::get_if<SendHandshake>(&*output)) {
        peer_->receive(flight->datagram);
      } else if (const auto* const path = std::get_if<LookUpRoute>(&*output)) {
        session_->on_route(path->remote, {1500, 1500}, now_);
      }
    }
  }

  Time now_ = virtual_clock::begin(Time(1h));
  Time begun_;
  TestCa ca_;
  Issued plain_;
  datapath::LaneCounters lane_;
  DropCounters drops_;
  std::optional<Session> session_;
  std::optional<PlainPeer> peer_;
};

}  // namespace

TEST_CASE("an acceptor ends the association of a plain peer that never renews it") {
  PlainLink link(60s);
  const auto lived = link.lives(1h);
  REQUIRE(lived);
  CHECK(*lived == 120s);
  CHECK(link.status().phase == Phase::waiting);
  CHECK(link.status().reason.word == "rekey_overdue");
}

TEST_CASE("an acceptor ends the association of a plain peer whose certificate expires") {
  PlainLink link(24h, 1);
  const auto lived = link.lives(30h);
  REQUIRE(lived);
  CHECK(*lived > 24h - 2s);
  CHECK(*lived <= 24h);
  CHECK(link.status().reason.word == "peer_expired");
}

// The silence of a plain peer does not end its association, so an association can be in use whose
// peer has gone.
TEST_CASE("a plain peer at another address takes over only from a peer that was heard lately") {
  PlainLink link(60min);
  const SocketAddress elsewhere{IpAddress::v4({198, 51, 100, 7}), 7754};
  link.heard(4s);  // longer than dead-after
  link.connect(elsewhere);
  CHECK(link.status().rekeys == 1);
  CHECK(link.status().takeovers == 0);
  link.heard(3s);
  link.connect(initiator_address);
  CHECK(link.status().takeovers == 1);
  link.heard(3s);
  link.connect({initiator_address.address, 9999});  // a restart
  CHECK(link.status().rekeys == 3);
  CHECK(link.status().takeovers == 1);
}
