#include "tools/stream_record.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1000h};

// One datagram per millisecond with a delay of 5 ms. Those for which `arrives` is true arrive.
template <typename Arrives>
StreamRecord record_of(std::uint64_t count, unsigned flows, Arrives arrives) {
  StreamRecord record(flows);
  for (std::uint64_t i = 0; i < count; ++i) {
    record.send(start + i * 1ms);
    if (arrives(i)) REQUIRE(record.arrive(i, start + i * 1ms + 5ms));
  }
  return record;
}

}  // namespace

TEST_CASE("a stream without losses") {
  const auto report = record_of(100, 1, [](auto) { return true; }).report();
  CHECK(report.sent == 100);
  CHECK(report.received == 100);
  CHECK(report.lost == 0);
  CHECK(report.reordered == 0);
  CHECK(report.duplicated == 0);
  CHECK(report.outages.empty());
  CHECK(report.longest_gap == 5ms);  // before the first
  CHECK(report.longest_gap_at == 0ms);
  CHECK(report.longest_pause == 1ms);
  CHECK(report.delay_min == 5ms);
  CHECK(report.delay_median == 5ms);
  CHECK(report.delay_max == 5ms);
}

TEST_CASE("the length of an outage is the time in which its datagrams were sent") {
  const auto report = record_of(100, 1, [](auto i) { return i < 40 || i >= 70; }).report();
  CHECK(report.lost == 30);
  REQUIRE(report.outages.size() == 1);
  CHECK(report.outages[0].at == 40ms);
  CHECK(report.outages[0].length == 30ms);
  CHECK(report.outages[0].lost == 30);
  CHECK(report.longest_gap == 31ms);
  CHECK(report.longest_gap_at == 44ms);
}

TEST_CASE("outages at the start and the end of the stream are reported") {
  const auto report = record_of(100, 1, [](auto i) { return i >= 10 && i < 50; }).report();
  REQUIRE(report.outages.size() == 2);
  CHECK(report.outages[0].at == 0ms);
  CHECK(report.outages[0].length == 10ms);
  CHECK(report.outages[1].at == 50ms);
  CHECK(report.outages[1].length == 49ms);
  CHECK(report.longest_gap == 45ms);  // from the last arrival to the last that was sent
}

TEST_CASE("a stream of which nothing arrives") {
  const auto report = record_of(100, 1, [](auto) { return false; }).report();
  CHECK(report.lost == 100);
  CHECK(report.longest_gap == 99ms);
  CHECK(report.delay_max == 0ms);
  CHECK(StreamRecord(1).report().sent == 0);
}

TEST_CASE("duplicates, reordering and unknown numbers") {
  StreamRecord record(1);
  for (int i = 0; i < 4; ++i) record.send(start + i * 1ms);
  const Time later = start + 10ms;
  CHECK(record.arrive(1, later));
  CHECK(record.arrive(0, later));
  CHECK(record.arrive(3, later));
  CHECK(record.arrive(3, later));
  CHECK(record.arrive(2, later));
  CHECK_FALSE(record.arrive(4, later));
  const auto report = record.report();
  CHECK(report.received == 4);
  CHECK(report.reordered == 2);
  CHECK(report.duplicated == 1);
  CHECK(report.lost == 0);
}

TEST_CASE("reordering and outages are counted within a flow") {
  // Flow 1 of 0..3 has an outage and arrives after the others: no reordering within a flow.
  StreamRecord record(4);
  for (std::uint64_t i = 0; i < 400; ++i) record.send(start + i * 1ms);
  for (std::uint64_t i = 0; i < 400; ++i) {
    if (i % 4 != 1) record.arrive(i, start + i * 1ms);
  }
  for (std::uint64_t i = 1; i < 400; i += 4) {
    if (i < 100 || i > 200) record.arrive(i, start + i * 1ms + 1ms);
  }
  record.refused();
  const auto report = record.report();
  CHECK(report.reordered == 0);
  CHECK(report.refused == 1);
  REQUIRE(report.outages.size() == 1);
  CHECK(report.outages[0].flow == 1);
  CHECK(report.outages[0].lost == 25);
  CHECK(report.outages[0].at == 101ms);
  CHECK(report.outages[0].length == 100ms);
}
