// What became of a stream of numbered datagrams. Pure: sequence numbers and times go in, a report
// comes out.
#pragma once

#include <cstdint>
#include <vector>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

struct Outage {
  unsigned flow = 0;
  Duration at{};      // since the first datagram of the stream was sent
  Duration length{};  // from when the first lost one was sent until the next that arrived was
  std::uint64_t lost = 0;
};

struct StreamReport {
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;   // of those sent: by our own kernel, no route or no room
  std::uint64_t received = 0;  // different ones
  std::uint64_t lost = 0;      // the refused among them
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  // came after one that was sent later in the same flow
  Duration longest_gap{};       // in which nothing of some flow arrived
  Duration longest_gap_at{};    // its beginning, since the first datagram was sent
  Duration longest_pause{};     // between two sends: what the sender itself was late
  // One way; zeros when nothing arrived.
  Duration delay_min{}, delay_median{}, delay_p99{}, delay_max{};
  std::vector<Outage> outages;  // each run of datagrams lost one after the other in a flow
};

class StreamRecord {
 public:
  // Datagram n belongs to flow n % flows; order is looked at within a flow.
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
    Time arrived;  // the first time; never: Time{}
  };
  void look_for_gaps(unsigned flow, StreamReport& report) const;
  void look_for_outages(unsigned flow, StreamReport& report) const;
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
