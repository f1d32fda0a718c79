// 4,000 ClientHellos per second with valid cookies, from 400 networks, and a peer that connects
// meanwhile. There is no --allow.

#include "strangers.hpp"

#include <map>

#include "routevpn/session/handshakes.hpp"

#include "catch.hpp"
#include "unit/dtls/pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

const outside::Endpoint server{{IpAddress::v4({203, 0, 113, 1}), 7754}, std::nullopt};

// An acceptor and its peer, whose datagrams take one_way.
class Siege {
 public:
  static constexpr Duration one_way = 50ms;
  static constexpr int hellos_per_ms = 4;

  explicit Siege(const std::vector<IpAddress>& addresses) {
    const auto ask = [this](const Datagram& datagram, const outside::Endpoint& from) {
      virtual_clock::set(now_ += 1ms);  // the rate of answers is limited
      acceptor_.receive(datagram, from, now_);
      return std::get<SendHandshake>(*acceptor_.take_event()).datagram;
    };
    strangers_.emplace(identities_.initiator, addresses, std::uint16_t{5}, ask, now_);
  }

  void remember_peer() { acceptor_.remember_peer(peer_at_.remote.address); }

  void run(Duration time) {
    for (const Time end = now_ + time; now_ < end;) step();
  }
  // How long the peer takes until its handshake is completed; none: longer than `at_most`.
  std::optional<Duration> connect(Duration at_most) {
    const Time begun = now_;
    retry_at_ = now_;
    while (!connected_ && now_ < begun + at_most) step();
    return connected_ ? std::optional(now_ - begun) : std::nullopt;
  }
  [[nodiscard]] std::uint64_t drops(Drop reason) const { return drops_.get(reason); }

 private:
  void step() {
    now_ += 1ms;
    virtual_clock::set(now_);
    strangers_->send(hellos_per_ms,
                     [this](const Datagram& datagram, const outside::Endpoint& from) {
                       acceptor_.receive(datagram, from, now_);
                       take_events();
                     });
    if (retry_at_ && now_ >= *retry_at_) {
      retry_at_.reset();
      peer_.initiate(server, now_);
    }
    while (!in_flight_.empty() && in_flight_.begin()->first <= now_) {
      const auto [to_acceptor, datagram] = in_flight_.begin()->second;
      in_flight_.erase(in_flight_.begin());
      to_acceptor ? acceptor_.receive(datagram, peer_at_, now_)
                  : peer_.receive(datagram, server, now_);
      take_events();
    }
    acceptor_.on_timer(now_);
    peer_.on_timer(now_);
    take_events();
  }
  void take_events() {
    while (const auto event = acceptor_.take_event()) {
      const auto* const flight = std::get_if<SendHandshake>(&*event);
      if (flight != nullptr && flight->to.remote == peer_at_.remote) {
        in_flight_.emplace(now_ + one_way, std::pair(false, flight->datagram));
      }
    }
    while (const auto event = peer_.take_event()) {
      if (const auto* const flight = std::get_if<SendHandshake>(&*event)) {
        in_flight_.emplace(now_ + one_way, std::pair(true, flight->datagram));
      } else if (std::holds_alternative<HandshakeCompleted>(*event)) {
        connected_ = true;
      } else {
        retry_at_ = now_ + 250ms;
      }
    }
  }

  Time now_ = virtual_clock::begin(Time(1h));
  test::Identities identities_ = make_identities();
  DropCounters drops_;
  DropCounters peer_drops_;
  Handshakes acceptor_{dtls::Role::acceptor, identities_.acceptor, {}, drops_};
  Handshakes peer_{dtls::Role::initiator, identities_.initiator, {}, peer_drops_};
  outside::Endpoint peer_at_{{IpAddress::v4({192, 0, 2, 1}), 7754}, std::nullopt};
  std::optional<Strangers> strangers_;
  std::multimap<Time, std::pair<bool, Datagram>> in_flight_;
  std::optional<Time> retry_at_;
  bool connected_ = false;
};

}  // namespace

TEST_CASE("strangers of 390 /64 in one /48 and 10 other networks do not keep out a new peer") {
  auto addresses = addresses_of_one_48(390);
  const auto others = addresses_of_different_16(10);
  addresses.insert(addresses.end(), others.begin(), others.end());
  Siege siege(addresses);
  siege.run(2s);
  const auto took = siege.connect(5s);
  REQUIRE(took);
  CHECK(*took < 1s);
  CHECK(siege.drops(Drop::handshake_rate_limited) > 5000);
}

TEST_CASE("strangers of 400 networks that are all different do not keep out a new peer") {
  Siege siege(addresses_of_different_16(400));
  const auto after = GENERATE(Duration(0s), Duration(1s), Duration(8s));
  CAPTURE(after.count());
  siege.run(after);
  REQUIRE(siege.connect(5s));
}

TEST_CASE("strangers do not delay the peer at its last address, from their first moment on") {
  Siege siege(addresses_of_different_16(400));
  siege.remember_peer();
  siege.run(500ms);
  const auto took = siege.connect(5s);
  REQUIRE(took);
  CHECK(*took <= 6 * Siege::one_way + 10ms);
}
