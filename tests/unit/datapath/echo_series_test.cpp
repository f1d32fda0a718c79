// Echo requests that a lane sends by itself, and what its control thread learns of them.

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr SendEcho two_requests{7, 1, 100ms, 10ms, 0ms};

// Passes the requests of `from` on, and the replies back 3 ms later.
void exchange(End& from, End& to) {
  for (auto& request : from.control()) to.receive(request, west, from.now);
  for (auto& reply : to.control()) from.receive(reply, east, from.now + 3ms);
}

}  // namespace

TEST_CASE("the control thread wakes for the last reply of a series alone") {
  LanePair pair;
  pair.a.lane.take_wake();
  pair.a.command(two_requests);
  exchange(pair.a, pair.b);
  CHECK_FALSE(pair.a.lane.take_wake());
  REQUIRE(pair.a.lane.due() == epoch + 100ms);

  pair.a.now = epoch + 100ms;
  pair.a.lane.on_timer(pair.a.now);
  exchange(pair.a, pair.b);
  CHECK(pair.a.lane.take_wake());
  CHECK_FALSE(pair.a.lane.take_wake());
  CHECK_FALSE(pair.a.lane.due());

  const auto replies = pair.a.events<EchoReplied>();
  REQUIRE(replies.size() == 2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(replies[i].sequence == 7 + i);
    CHECK(replies[i].sent == epoch + i * 100ms);
    CHECK(replies[i].round_trip == 3ms);
    CHECK(replies[i].received == 2 + i);  // LanePair sent one
  }
}

TEST_CASE("the control thread wakes at once for a missing reply, and for a late one") {
  LanePair pair;
  pair.a.lane.take_wake();
  pair.a.command(two_requests);
  const auto request = pair.a.control().at(0);
  pair.a.now = epoch + 10ms;
  pair.a.lane.on_timer(pair.a.now);
  CHECK(pair.a.lane.take_wake());
  const auto missing = pair.a.events<EchoMissing>();
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].sequence == 7);
  CHECK(missing[0].sent == epoch);
  CHECK(pair.a.control().empty());
  CHECK_FALSE(pair.a.lane.due());

  pair.b.receive(request, west);
  pair.a.receive(pair.b.control().at(0), east, epoch + 20ms);
  CHECK(pair.a.lane.take_wake());
  const auto replies = pair.a.events<EchoReplied>();
  REQUIRE(replies.size() == 1);
  CHECK_FALSE(replies[0].sent);
}

TEST_CASE("a reply with a false stamp is none of a series") {
  LanePair pair;
  pair.a.command(two_requests);
  static_cast<void>(pair.a.control());
  pair.b.now = epoch - 5s;  // the lane sets the stamp
  pair.b.command(SendControl{{ControlMessage::Kind::echo_reply, 7}});
  pair.a.receive(pair.b.control().at(0), east, epoch + 4ms);
  const auto replies = pair.a.events<EchoReplied>();
  REQUIRE(replies.size() == 1);
  CHECK_FALSE(replies[0].sent);
  CHECK(pair.a.lane.due() == epoch + 10ms);
}

TEST_CASE("the control thread wakes when the peer asks no more") {
  LanePair pair;
  SendEcho own{7};
  own.asked_within = 110ms;
  pair.b.command(own);
  pair.a.command(SendControl{{ControlMessage::Kind::echo_request, 9}});
  pair.b.lane.take_wake();
  pair.b.receive(pair.a.control().at(0), west, epoch + 100ms);
  CHECK_FALSE(pair.b.lane.take_wake());
  REQUIRE(pair.b.lane.due() == epoch + 210ms);
  pair.b.lane.on_timer(epoch + 210ms);
  CHECK(pair.b.lane.take_wake());
  CHECK(pair.b.events<RequestMissing>().size() == 1);
  CHECK_FALSE(pair.b.lane.due());
}

TEST_CASE("a lane that has told the peer of the end sends no requests") {
  LanePair pair;
  pair.a.command(two_requests);
  pair.a.command(SendAlert{alert_warning, alert_close_notify});
  CHECK_FALSE(pair.a.lane.due());
}

TEST_CASE("a lane without an association sends no requests") {
  LanePair pair;
  pair.a.command(two_requests);
  pair.a.command(RetireAssociation{1});
  CHECK_FALSE(pair.a.lane.due());
}
