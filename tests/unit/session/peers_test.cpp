// The order in which an initiator tries its peers' addresses and resolves their names.
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

// An initiator whose handshakes all time out. It records names resolved and addresses tried.
class UnansweredInitiator {
 public:
  explicit UnansweredInitiator(std::vector<options::PeerAddress> peers) {
    TestCa ca;
    options::LinkOptions options;
    options.peers = std::move(peers);
    session_.emplace(SessionSettings::of(options, 0, 0),
                     make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1"), lane_, drops_);
    session_->start(now_);
    drain();
  }

  std::map<std::string, std::vector<const char*>>
      names;  // addresses by name; none: does not resolve

  // The next attempts: an address for a handshake, "?NAME" for a name resolved.
  std::vector<std::string> next(std::size_t count) {
    while (attempts_.size() < count) {
      if (pending_name_) {
        const options::PeerAddress wanted = *std::exchange(pending_name_, std::nullopt);
        std::vector<SocketAddress> addresses;
        for (const auto* text : names[wanted.host]) {
          addresses.push_back({*IpAddress::parse(text), wanted.port});
        }
        const std::string error = addresses.empty() ? wanted.host + ": not known" : "";
        session_->on_resolved(addresses, error, now_);
        drain();
      } else {
        REQUIRE(session_->deadline());
        now_ = std::max(now_, *session_->deadline());
        session_->on_timer(now_);
        drain();
      }
    }
    const auto end = attempts_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<std::string> first(attempts_.begin(), end);
    attempts_.erase(attempts_.begin(), end);
    return first;
  }
  [[nodiscard]] SessionStatus status() const { return session_->status(now_); }

 private:
  void drain() {
    while (const auto output = session_->take_output(now_)) {
      if (const auto* const flight = std::get_if<SendHandshake>(&*output)) {
        const std::string to = flight->to.remote.to_string();
        if (attempts_.empty() || attempts_.back() != to)
          attempts_.push_back(to);  // once per attempt
      } else if (const auto* const name = std::get_if<Resolve>(&*output)) {
        attempts_.push_back("?" + name->peer.host);
        pending_name_ = name->peer;
      }
    }
  }

  LaneCounters lane_;
  DropCounters drops_;
  std::optional<Session> session_;
  std::optional<options::PeerAddress> pending_name_;
  std::vector<std::string> attempts_;
  Time now_{1000h};
};

using Attempts = std::vector<std::string>;

}  // namespace

TEST_CASE("the initiator tries each address of each peer in turn and resolves each name again") {
  UnansweredInitiator initiator({{"a.example", 1}, {"b.example", 2}});
  initiator.names = {{"a.example", {"192.0.2.1", "2001:db8::1"}}, {"b.example", {"192.0.2.2"}}};
  for (int round = 0; round < 3; ++round) {
    CHECK(initiator.next(5) ==
          Attempts{"?a.example", "192.0.2.1:1", "[2001:db8::1]:1", "?b.example", "192.0.2.2:2"});
  }
}

TEST_CASE("the initiator follows a name whose address changes") {
  UnansweredInitiator initiator({{"a.example", 1}});
  initiator.names = {{"a.example", {"192.0.2.1"}}};
  CHECK(initiator.next(2) == Attempts{"?a.example", "192.0.2.1:1"});
  initiator.names = {{"a.example", {"192.0.2.77"}}};
  CHECK(initiator.next(2) == Attempts{"?a.example", "192.0.2.77:1"});
}

TEST_CASE("a name that does not resolve is skipped, and is the reason if it is the only one") {
  UnansweredInitiator initiator({{"nowhere.example", 1}, {"b.example", 2}});
  initiator.names = {{"b.example", {"192.0.2.2"}}};
  CHECK(initiator.next(4) ==
        Attempts{"?nowhere.example", "?b.example", "192.0.2.2:2", "?nowhere.example"});
  UnansweredInitiator single({{"nowhere.example", 1}});
  CHECK(single.next(3) == Attempts{"?nowhere.example", "?nowhere.example", "?nowhere.example"});
  CHECK(single.status().reason.word == "resolve_failed");
  CHECK(single.status().reason.text == "nowhere.example: not known");
}
