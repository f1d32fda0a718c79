#include "routevpn/datapath/sparse_flow.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t long_payload = 1400;

ControlMessage reply_to(const ControlMessage& request) {
  return {ControlMessage::Kind::sparse_reply, request.sequence, request.stamp, 0};
}

// To an initiator.
bool is_open(const SparseFlow& flow, Time now) {
  return flow.is_open(now);
}

// A flow that the peer has answered at `epoch`, after `round_trip`.
SparseFlow found_flow(Duration round_trip = 20ms) {
  SparseFlow flow;
  const auto request = flow.request(long_payload, epoch - round_trip);
  flow.found(east, flow.answered(reply_to(request), epoch).value());
  return flow;
}

}  // namespace

TEST_CASE("before its peer was found, the sparse flow is closed and carries nothing") {
  const SparseFlow flow;
  CHECK_FALSE(flow.remote());
  CHECK_FALSE(is_open(flow, epoch));
  CHECK_FALSE(flow.is_lost(epoch));
  CHECK(flow.payload_bytes() == 0);
}

TEST_CASE("an answered request opens the flow for packets of its length") {
  SparseFlow flow;
  const auto request = flow.request(long_payload, epoch);
  CHECK(request.kind == ControlMessage::Kind::sparse_request);
  CHECK_FALSE(is_open(flow, epoch));
  const auto bytes = flow.answered(reply_to(request), epoch + 20ms);
  REQUIRE(bytes == long_payload);
  CHECK_FALSE(is_open(flow, epoch + 20ms));  // the lane decides where the peer is
  flow.found(east, *bytes);
  CHECK(flow.remote() == east);
  CHECK(is_open(flow, epoch + 20ms));
  CHECK(flow.payload_bytes() == long_payload);
}

TEST_CASE(
    "requests are due once a second, three times until an answer is late, and then less often") {
  SparseFlow flow = found_flow();
  const auto due_after = [&flow](Time last) {
    Time at = last;
    while (!flow.request_due(at)) at += 1ms;
    return at - last;
  };
  auto request = flow.request(control_message_bytes, epoch);
  CHECK(due_after(epoch) == 84ms);
  flow.request(control_message_bytes, epoch + 84ms);
  CHECK(due_after(epoch + 84ms) == 84ms);
  flow.request(control_message_bytes, epoch + 300ms);
  CHECK(due_after(epoch + 300ms) == 250ms);
  request = flow.request(control_message_bytes, epoch + 550ms);
  REQUIRE(flow.answered(reply_to(request), epoch + 560ms));
  CHECK(due_after(epoch + 550ms) == 1s);
}

TEST_CASE("the flow closes when an answer is late, and opens with the next answer") {
  SparseFlow flow = found_flow();
  flow.request(control_message_bytes, epoch + 1s);
  CHECK(is_open(flow, epoch + 1s + 250ms));
  CHECK_FALSE(is_open(flow, epoch + 1s + 250ms + 1ns));
  const auto second = flow.request(control_message_bytes, epoch + 1s + 250ms);
  CHECK_FALSE(is_open(flow, epoch + 1s + 260ms));  // a new request is no answer
  REQUIRE(flow.answered(reply_to(second), epoch + 1s + 270ms));
  CHECK(is_open(flow, epoch + 1s + 270ms));
  CHECK(flow.remote() == east);
}

TEST_CASE("an answer may take three times as long as the last did") {
  SparseFlow flow = found_flow(300ms);
  flow.request(control_message_bytes, epoch + 1s);
  CHECK(is_open(flow, epoch + 1s + 900ms));
  CHECK_FALSE(is_open(flow, epoch + 1s + 900ms + 1ns));
}

TEST_CASE("the flow is lost 10 s after the first request without an answer") {
  SparseFlow flow = found_flow();
  Time at = epoch + 1s;
  for (; at < epoch + 11s; at += 250ms) {
    CHECK_FALSE(flow.is_lost(at));
    flow.request(control_message_bytes, at);
  }
  CHECK(flow.is_lost(at));
  flow.lose();
  CHECK_FALSE(flow.is_lost(at));
  CHECK_FALSE(flow.remote());
  CHECK_FALSE(is_open(flow, at));
  CHECK(flow.payload_bytes() == 0);
}

TEST_CASE("a flow that is idle but for its keepalives is not lost with one or two of them") {
  SparseFlow flow = found_flow();
  for (const Duration after : {15s, 30s, 45s}) {
    CHECK_FALSE(flow.is_lost(epoch + after));
    flow.request(long_payload, epoch + after);
  }
  CHECK(flow.is_lost(epoch + 60s));
  flow = found_flow();
  flow.request(long_payload, epoch + 15s);
  const auto second = flow.request(long_payload, epoch + 30s);
  REQUIRE(flow.answered(reply_to(second), epoch + 30s + 20ms));
  flow.request(long_payload, epoch + 45s);
  CHECK_FALSE(flow.is_lost(epoch + 59s));
}

TEST_CASE("one slow answer does not let the flow wait for many seconds") {
  SparseFlow flow = found_flow();
  auto request = flow.request(control_message_bytes, epoch + 1s);
  REQUIRE(flow.answered(reply_to(request), epoch + 10s));
  flow.request(control_message_bytes, epoch + 11s);
  CHECK(is_open(flow, epoch + 11s + SparseFlow::most_answer_time));
  CHECK_FALSE(is_open(flow, epoch + 11s + SparseFlow::most_answer_time + 1ns));
}

TEST_CASE("a request that was never sent is not waited for: an idle flow stays open") {
  const SparseFlow flow = found_flow();
  CHECK(is_open(flow, epoch + 24h));
  CHECK_FALSE(flow.is_lost(epoch + 24h));
}

TEST_CASE("replies that answer no request of the last 10 s are ignored") {
  SparseFlow flow = found_flow();
  const auto request = flow.request(long_payload, epoch + 1s);
  const Time late = epoch + 2s;
  const auto ignores = [&](const ControlMessage& reply, Time at) {
    return !flow.answered(reply, at) && !is_open(flow, late);
  };
  auto reply = reply_to(request);
  SECTION("sequence 0") {
    reply.sequence = 0;
    CHECK(ignores(reply, late));
  }
  SECTION("a sequence that was not sent yet") {
    ++reply.sequence;
    CHECK(ignores(reply, late));
    reply.sequence = 0xffffffff;
    CHECK(ignores(reply, late));
  }
  SECTION("a stamp in the future") {
    reply.stamp = static_cast<std::uint64_t>((late + 1ns).time_since_epoch().count());
    CHECK(ignores(reply, late));
    reply.stamp = ~std::uint64_t{0};
    CHECK(ignores(reply, late));
  }
  SECTION("an old stamp") {
    CHECK(ignores(reply, epoch + 1s + SparseFlow::lost_after));
    reply.stamp = 0;
    CHECK(ignores(reply, late));
  }
}

TEST_CASE("the carried length grows by padded answers only") {
  SparseFlow flow = found_flow();
  const auto answer = [&flow](std::size_t bytes, Time at) {
    const auto request = flow.request(bytes, at);
    const auto carried = flow.answered(reply_to(request), at + 10ms).value();
    flow.found(east, carried);
    return carried;
  };
  CHECK(answer(control_message_bytes, epoch + 1s) == control_message_bytes);
  CHECK(flow.payload_bytes() == long_payload);
  CHECK(answer(8900, epoch + 2s) == 8900);
  CHECK(flow.payload_bytes() == 8900);
  CHECK(answer(1300, epoch + 3s) == 1300);
  CHECK(flow.payload_bytes() == 8900);
}

TEST_CASE("the answer to a request without padding does not stand for the padded one before it") {
  SparseFlow flow;
  const auto first = flow.request(long_payload, epoch);
  const auto second = flow.request(control_message_bytes, epoch + 250ms);
  CHECK(flow.answered(reply_to(second), epoch + 260ms) == control_message_bytes);
  CHECK(flow.answered(reply_to(first), epoch + 270ms) == long_payload);
}

TEST_CASE("only the last padded request is remembered") {
  SparseFlow flow;
  const auto first = flow.request(8900, epoch);
  const auto second = flow.request(long_payload, epoch + 250ms);
  CHECK(flow.answered(reply_to(first), epoch + 260ms) == control_message_bytes);
  CHECK(flow.answered(reply_to(second), epoch + 270ms) == long_payload);
}

TEST_CASE("at another address nothing is known of the length") {
  SparseFlow flow = found_flow();
  flow.found(west, control_message_bytes);
  CHECK(flow.remote() == west);
  CHECK(flow.payload_bytes() == control_message_bytes);
}

TEST_CASE("the peer's use of another local address does not change the length") {
  SparseFlow flow = found_flow();
  flow.found({east.remote, *IpAddress::parse("192.0.2.9")}, control_message_bytes);
  CHECK(flow.remote()->local == IpAddress::parse("192.0.2.9"));
  CHECK(flow.payload_bytes() == long_payload);
}

TEST_CASE("a size whose request is lost, while a later small one is not, is not used any more") {
  SparseFlow flow = found_flow();
  const auto padded = flow.request(long_payload, epoch);
  REQUIRE(flow.answered(reply_to(padded), epoch + 1ms) == long_payload);
  flow.found(east, long_payload);
  CHECK_FALSE(flow.padding_due(epoch + 14s));
  CHECK(flow.padding_due(epoch + 15s));
  flow.request(long_payload, epoch + 15s);
  const auto small = flow.request(control_message_bytes, epoch + 15s + 100ms);
  REQUIRE(flow.answered(reply_to(small), epoch + 15s + 101ms));
  CHECK(flow.payload_bytes() == long_payload);  // its answer is not late yet
  const auto later = flow.request(control_message_bytes, epoch + 16s);
  REQUIRE(flow.answered(reply_to(later), epoch + 16s + 1ms));
  CHECK(flow.payload_bytes() == control_message_bytes);
  CHECK(flow.padding_due(epoch + 16s + 1ms));
}
