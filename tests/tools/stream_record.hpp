// A report about a stream of numbered datagrams, from their numbers and times. Pure: no I/O, no
// clock.
#pragma once

#include <cstdint>
#include <vector>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

struct Outage {
  unsigned flow = 0;
  Duration at{};  // since the first datagram of the stream was sent
  Duration
      length{};  // from the send of the first lost datagram to the send of the next that arrived
  std::uint64_t lost = 0;
};

struct StreamReport {
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;   // by the sender's kernel: no route or no buffer space
  std::uint64_t received = 0;  // without duplicates
  std::uint64_t lost = 0;      // including the refused
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  // arrived after a later one of the same flow
  Duration longest_gap{};       // without an arrival in some flow
  Duration longest_gap_at{};    // its start, since the first datagram was sent
  Duration longest_pause{};     // between two sends: how late the sender was
  // In one direction; zero when nothing arrived.
  Duration delay_min{}, delay_median{}, delay_p99{}, delay_max{};
  std::vector<Outage> outages;  // runs of consecutive losses in a flow
};

class StreamRecord {
 public:
  // Datagram n belongs to flow n % flows. Reordering is counted within a flow.
  explicit StreamRecord(unsigned flows) : flows_(flows), newest_(flows) {}

  std::uint64_t send(Time now);  // the number of the datagram
  void refused() { ++refused_; }
  // False when no such datagram was sent.
  bool arrive(std::uint64_t number, Time when);
  [[nodiscard]] std::uint64_t sent() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t received() const { return received_; }
  [[nodiscard]] StreamReport report() const;

 private:
  struct Entry {
    Time sent;
    Time arrived;  // first arrival; Time{}: none
  };
  void find_gaps(unsigned flow, StreamReport& report) const;
  void find_outages(unsigned flow, StreamReport& report) const;
  void measure_delay(StreamReport& report) const;

  unsigned flows_;
  std::vector<Entry> entries_;
  std::vector<std::uint64_t> newest_;  // by flow: highest number that arrived, plus 1
  std::uint64_t refused_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
};

}  // namespace routevpn::test
