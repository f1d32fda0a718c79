#include "catch.hpp"
#include "probers.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

TEST_CASE("loss is the unanswered share of the last 100 requests") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  Time now = probing_start;
  for (std::uint32_t i = 1; i <= 200; ++i) {
    prober.send(now);
    if (i % 4 != 0) prober.answered(i, i, 1ms, now + 1ms);
    now += 1s;
  }
  CHECK(prober.status(now + 10s).loss == Approx(0.25));
  prober.begin(now);
  CHECK(prober.status(now).loss == 0);
}

TEST_CASE("a request in flight is not lost yet") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  CHECK(prober.status(probing_start + 500ms).loss == 0);
  CHECK(prober.status(probing_start + 1500ms).loss == 1);
}

namespace {

// Loses every n-th request or reply; 0: none. Round trips take 1 ms.
PathStatus lossy(Prober& prober, std::uint32_t count, std::uint32_t lose_request_each,
                 std::uint32_t lose_reply_each) {
  Time now = probing_start;
  std::uint32_t received = 0;
  for (std::uint32_t i = 1; i <= count; ++i, now += 1s) {
    const auto sequence = prober.send(now);
    if (lose_request_each != 0 && i % lose_request_each == 0) continue;
    ++received;
    if (lose_reply_each != 0 && i % lose_reply_each == 0) continue;
    prober.answered(sequence, received, 1ms, now + 1ms);
  }
  return prober.status(now + 10s);
}

}  // namespace

TEST_CASE("the peer's count of requests distinguishes lost requests from lost replies") {
  const auto count = GENERATE(99U, 1001U);
  CAPTURE(count);
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  auto status = lossy(prober, count, 5, 0);
  CHECK(status.loss == Approx(0.2).margin(0.02));
  CHECK(status.loss_tx == Approx(0.2).margin(0.02));
  CHECK(status.loss_rx == 0);
  prober.begin(probing_start);
  status = lossy(prober, count, 0, 4);
  CHECK(status.loss == Approx(0.25).margin(0.02));
  CHECK(status.loss_tx == 0);
  CHECK(status.loss_rx == Approx(0.25).margin(0.02));
  prober.begin(probing_start);
  status = lossy(prober, count, 4, 10);
  CHECK(status.loss_tx == Approx(0.25).margin(0.02));
  CHECK(status.loss_rx == Approx(0.067).margin(0.02));  // 5 of 75
}

TEST_CASE("losses before the first reply and after the last have no direction") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  for (int i = 0; i < 5; ++i) prober.send(probing_start + i * 1s);
  CHECK(prober.status(probing_start + 10s).loss == 1);
  CHECK(prober.status(probing_start + 10s).loss_tx == 0);
  CHECK(prober.status(probing_start + 10s).loss_rx == 0);
  prober.send(probing_start + 10s);
  prober.answered(6, 6, 1ms,
                  probing_start + 10s + 1ms);  // the peer received all 6: replies were lost
  CHECK(prober.status(probing_start + 20s).loss_tx == 0);
  CHECK(prober.status(probing_start + 20s).loss_rx == Approx(5.0 / 6));
  for (int i = 0; i < 5; ++i) prober.send(probing_start + 11s + i * 1s);
  CHECK(prober.status(probing_start + 20s).loss_rx == Approx(5.0 / 6));
}

TEST_CASE("loss stays within 0..1 for wrong counts and reordered replies") {
  for (const std::uint32_t claimed : {0U, 1U, 3U, 1000U, 0xffffffffU}) {
    CAPTURE(claimed);
    Prober prober = prober_by_hand(1000ms);
    prober.begin(probing_start);
    for (std::uint32_t i = 1; i <= 4; ++i) prober.send(probing_start);
    prober.answered(3, claimed, 1ms, probing_start + 1ms);
    prober.answered(2, 0xffffffffU - claimed, 1ms, probing_start + 1ms);
    const auto status = prober.status(probing_start + 1s);
    CHECK(status.loss_tx >= 0);
    CHECK(status.loss_tx <= 1);
    CHECK(status.loss_rx >= 0);
    CHECK(status.loss_rx <= 1);
  }
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.send(probing_start);
  prober.answered(2, 1, 1ms, probing_start + 1ms);  // the second request arrived first
  prober.answered(1, 2, 1ms, probing_start + 1ms);
  CHECK(prober.status(probing_start + 2ms).loss_tx == 0);
  CHECK(prober.status(probing_start + 2ms).loss_rx == 0);
}
