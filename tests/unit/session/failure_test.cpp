// Why a link is not up, at an initiator: what ICMP and the kernel tell, and how long it is shown.
#include <algorithm>
#include <cerrno>

#include "routevpn/session/session.hpp"

#include "catch.hpp"
#include "test_pki.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

SocketAddress address_of(const char* text) {
  return {*IpAddress::parse(text), 7754};
}

// An initiator on a path that answers nothing.
class LonelyInitiator {
 public:
  explicit LonelyInitiator(std::vector<SocketAddress> addresses = {address_of("192.0.2.2")})
      : addresses_(std::move(addresses)) {
    options::LinkOptions options;
    options.peers = {{"192.0.2.2", 7754}};
    session_.emplace(SessionSettings::of(options, 0, 1),
                     make_identity(ca_.issue({"V1-1"}), ca_.certificate(), "V2-1"), lane_, drops_);
    virtual_clock::set(now_);
    session_->start(now_);
    drain();
  }
  void report(const outside::Undelivered& report) {
    session_->on_undelivered(report, now_);
    drain();
  }
  // Until the attempt in progress has failed.
  void fail() {
    const auto failures = failures_;
    while (failures_ == failures) advance();
  }
  void wait(Duration duration) {
    now_ += duration;
    virtual_clock::set(now_);
  }
  void begin_next_attempt() {
    while (status().phase != Phase::handshaking) advance();
  }
  [[nodiscard]] SessionStatus status() const { return session_->status(now_); }
  [[nodiscard]] const std::string& last_logged() const { return last_logged_; }

 private:
  void advance() {
    now_ = std::max(now_, *session_->deadline());
    virtual_clock::set(now_);
    session_->on_timer(now_);
    drain();
  }
  void drain() {
    while (const auto output = session_->take_output(now_)) {
      if (std::holds_alternative<Resolve>(*output)) {
        session_->on_resolved(addresses_, "", now_);
      }
      const auto* const failed = std::get_if<HandshakeFailed>(&*output);
      if (failed == nullptr) continue;
      ++failures_;
      last_logged_ = failed->failure.text;
    }
  }

  std::vector<SocketAddress> addresses_;
  TestCa ca_;
  datapath::LaneCounters lane_;
  DropCounters drops_;
  std::optional<Session> session_;
  Time now_{1h};
  int failures_ = 0;
  std::string last_logged_;
};

outside::Undelivered icmp(int error, bool prohibited = false, const char* to = "192.0.2.2") {
  return {address_of(to), error, IpAddress::parse("192.0.2.3"), prohibited};
}

}  // namespace

TEST_CASE("what ICMP and the kernel tell is the reason of a failed attempt") {
  const auto [report, word, text] = GENERATE(table<outside::Undelivered, const char*, const char*>({
      {icmp(ECONNREFUSED), "port_unreachable", "ICMP port unreachable from 192.0.2.3"},
      {icmp(EHOSTUNREACH, true), "prohibited", "ICMP from 192.0.2.3"},
      {icmp(EHOSTUNREACH), "host_unreachable", "ICMP from 192.0.2.3"},
      {icmp(ENETUNREACH), "net_unreachable", "ICMP from 192.0.2.3"},
      {{address_of("192.0.2.2"), ENETUNREACH, std::nullopt, false}, "no_route", "no route"},
      {{address_of("192.0.2.2"), EPERM, std::nullopt, false}, "local_firewall", "EPERM"},
      {{address_of("192.0.2.2"), ENOBUFS, std::nullopt, false}, "send_failed", "ENOBUFS"},
  }));
  LonelyInitiator link;
  link.report(report);
  link.fail();
  CHECK(link.status().reason.word == word);
  CHECK_THAT(link.status().reason.text, ContainsSubstring(text));
  CHECK(link.status().reason.text.starts_with("192.0.2.2:7754: "));
}

TEST_CASE("without a report, and with one for another peer, there is no answer") {
  LonelyInitiator link;
  link.report(icmp(ECONNREFUSED, false, "192.0.2.9"));
  link.fail();
  CHECK(link.status().reason.word == "no_answer");
}

TEST_CASE("a report about one address is not the reason of an attempt at the next") {
  LonelyInitiator link({address_of("192.0.2.2"), address_of("192.0.2.9")});
  link.report(icmp(ECONNREFUSED));
  link.fail();
  CHECK(link.status().reason.word == "port_unreachable");
  link.fail();
  CHECK(link.status().reason.text.starts_with("192.0.2.9:7754: no answer"));
}

TEST_CASE("the reason of the last failure stays while attempts go on, and equal ones are counted") {
  LonelyInitiator link;
  link.report(icmp(ECONNREFUSED));
  link.fail();
  link.begin_next_attempt();
  CHECK(link.status().reason.word == "port_unreachable");
  link.report(icmp(ECONNREFUSED));
  link.fail();
  CHECK(link.status().failure->times == 2);
  link.fail();  // without a further report
  CHECK(link.status().reason.word == "no_answer");
}

TEST_CASE("a report that comes after the attempt is the reason in place of no_answer") {
  LonelyInitiator link;
  link.fail();
  link.report(icmp(EHOSTUNREACH, false, "192.0.2.9"));
  CHECK(link.status().reason.word == "no_answer");
  link.report(icmp(EHOSTUNREACH));
  CHECK(link.status().reason.word == "host_unreachable");
  CHECK(link.status().reason.text.starts_with("192.0.2.2:7754: host unreachable"));
  CHECK(link.status().failure->reason.word == "host_unreachable");
  CHECK(link.last_logged() == "host unreachable (ICMP from 192.0.2.3)");
  link.report(icmp(ENETUNREACH));
  CHECK(link.status().reason.word == "host_unreachable");  // the attempt has a reason already
  link.begin_next_attempt();
  CHECK(link.status().reason.word == "host_unreachable");
}

TEST_CASE(
    "a router that reports each attempt late gives one reason, through the longest back-off") {
  LonelyInitiator link;
  link.fail();
  link.report(icmp(EHOSTUNREACH));
  for (std::uint64_t times = 2; times < 12; ++times) {
    link.fail();
    CHECK(link.status().reason.word == "host_unreachable");
    CHECK(link.status().failure->times == times);
    link.wait(1s);
    link.report(icmp(EHOSTUNREACH));
  }
}
