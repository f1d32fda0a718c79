// Which address an initiator tries next, and when it asks for names again.
#include <map>

#include "routevpn/session/session.hpp"

#include "catch.hpp"
#include "test_pki.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// Nobody answers; what was asked and tried is written down.
class Nobody : public Surroundings {
 public:
  explicit Nobody(std::vector<PeerName> peers) {
    TestCa ca;
    SessionSettings settings;
    settings.peers = std::move(peers);
    session_.emplace(settings, make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1"), *this,
                     drops_);
    session_->start(now_);
  }

  std::map<std::string, std::vector<const char*>> names;  // none: does not resolve

  // The next things tried: "?NAME" where a name was asked for.
  std::vector<std::string> next(std::size_t count) {
    while (tried_.size() < count) {
      if (asked_) {
        const PeerName peer = *std::exchange(asked_, std::nullopt);
        std::vector<SocketAddress> addresses;
        for (const auto* text : names[peer.host]) {
          addresses.push_back({*IpAddress::parse(text), peer.port});
        }
        const std::string error = addresses.empty() ? peer.host + ": not known" : "";
        session_->on_resolved(addresses, error, now_);
      } else {
        REQUIRE(session_->deadline());
        now_ = std::max(now_, *session_->deadline());
        session_->on_timer(now_);
      }
    }
    const auto end = tried_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<std::string> first(tried_.begin(), end);
    tried_.erase(tried_.begin(), end);
    return first;
  }
  [[nodiscard]] SessionStatus status() const { return session_->status(now_); }

 private:
  void send_handshake(ConstBytes, const outside::Endpoint& to) override {
    if (tried_.empty() || tried_.back() != to.remote.to_string()) {
      tried_.push_back(to.remote.to_string());  // once, however often it is repeated
    }
  }
  void command(LaneCommand) override {}
  void resolve(const PeerName& peer) override {
    tried_.push_back("?" + peer.host);
    asked_ = peer;
  }
  void set_carrier(bool) override {}
  void state_changed(Phase, const Reason&) override {}
  void handshake_failed(const SocketAddress&, const dtls::HandshakeFailure&) override {}
  [[nodiscard]] Time last_heard() const override { return Time{}; }
  [[nodiscard]] outside::RouteMtu route_mtu(const SocketAddress&) const override { return {}; }
  [[nodiscard]] std::uint64_t large_datagrams() const override { return 0; }
  void path_mtu_changed(unsigned, unsigned) override {}

  DropCounters drops_;
  std::optional<Session> session_;
  std::optional<PeerName> asked_;
  std::vector<std::string> tried_;
  Time now_{1000h};
};

using Tried = std::vector<std::string>;

}  // namespace

TEST_CASE("each address of each peer is tried in turn, and names are asked for anew each time") {
  Nobody nobody({{"a.example", 1}, {"b.example", 2}});
  nobody.names = {{"a.example", {"192.0.2.1", "2001:db8::1"}}, {"b.example", {"192.0.2.2"}}};
  for (int round = 0; round < 3; ++round) {
    CHECK(nobody.next(5) ==
          Tried{"?a.example", "192.0.2.1:1", "[2001:db8::1]:1", "?b.example", "192.0.2.2:2"});
  }
}

TEST_CASE("a name that moved is followed") {
  Nobody nobody({{"a.example", 1}});
  nobody.names = {{"a.example", {"192.0.2.1"}}};
  CHECK(nobody.next(2) == Tried{"?a.example", "192.0.2.1:1"});
  nobody.names = {{"a.example", {"192.0.2.77"}}};
  CHECK(nobody.next(2) == Tried{"?a.example", "192.0.2.77:1"});
}

TEST_CASE("a name that does not resolve is passed over, and said when it is the only one") {
  Nobody nobody({{"nowhere.example", 1}, {"b.example", 2}});
  nobody.names = {{"b.example", {"192.0.2.2"}}};
  CHECK(nobody.next(4) ==
        Tried{"?nowhere.example", "?b.example", "192.0.2.2:2", "?nowhere.example"});
  Nobody alone({{"nowhere.example", 1}});
  CHECK(alone.next(3) == Tried{"?nowhere.example", "?nowhere.example", "?nowhere.example"});
  CHECK(alone.status().reason.word == "resolve_failed");
  CHECK(alone.status().reason.text == "nowhere.example: not known");
}
