#include "tools/stream_record.hpp"

#include <algorithm>

namespace routevpn::test {

std::uint64_t StreamRecord::send(Time now) {
  entries_.push_back({now, Time{}});
  return entries_.size() - 1;
}

bool StreamRecord::arrive(std::uint64_t number, Time when) {
  if (number >= entries_.size()) return false;
  auto& entry = entries_[number];
  if (entry.arrived != Time{}) {
    ++duplicated_;
    return true;
  }
  entry.arrived = when;
  ++received_;
  auto& newest = newest_[number % flows_];
  if (number < newest) ++reordered_;
  newest = std::max(newest, number + 1);
  return true;
}

StreamReport StreamRecord::report() const {
  StreamReport report;
  report.sent = entries_.size();
  report.refused = refused_;
  report.received = received_;
  report.lost = report.sent - report.received;
  report.duplicated = duplicated_;
  report.reordered = reordered_;
  if (entries_.empty()) return report;
  for (std::size_t i = 1; i < entries_.size(); ++i) {
    report.longest_pause = std::max(report.longest_pause, entries_[i].sent - entries_[i - 1].sent);
  }
  for (unsigned flow = 0; flow < flows_; ++flow) {
    find_gaps(flow, report);
    find_outages(flow, report);
  }
  std::ranges::stable_sort(report.outages, {}, &Outage::at);
  measure_delay(report);
  return report;
}

// The times before the first arrival and after the last one count as gaps, too.
void StreamRecord::find_gaps(unsigned flow, StreamReport& report) const {
  const Time start = entries_.front().sent;
  std::vector<Time> arrivals = {start};
  for (std::size_t i = flow; i < entries_.size(); i += flows_) {
    if (entries_[i].arrived != Time{}) arrivals.push_back(entries_[i].arrived);
  }
  std::ranges::sort(arrivals);
  arrivals.push_back(std::max(arrivals.back(), entries_.back().sent));
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    const Duration gap = arrivals[i] - arrivals[i - 1];
    if (gap <= report.longest_gap) continue;
    report.longest_gap = gap;
    report.longest_gap_at = arrivals[i - 1] - start;
  }
}

void StreamRecord::find_outages(unsigned flow, StreamReport& report) const {
  const Time start = entries_.front().sent;
  bool losing = false;
  for (std::size_t i = flow; i < entries_.size(); i += flows_) {
    const auto& entry = entries_[i];
    if (entry.arrived != Time{}) {
      if (losing) report.outages.back().length = entry.sent - start - report.outages.back().at;
      losing = false;
      continue;
    }
    if (!losing) report.outages.push_back({flow, entry.sent - start, {}, 0});
    losing = true;
    ++report.outages.back().lost;
  }
  if (losing) {
    report.outages.back().length = entries_.back().sent - start - report.outages.back().at;
  }
}

void StreamRecord::measure_delay(StreamReport& report) const {
  std::vector<Duration> delays;
  for (const auto& entry : entries_) {
    if (entry.arrived != Time{}) delays.push_back(entry.arrived - entry.sent);
  }
  if (delays.empty()) return;
  std::ranges::sort(delays);
  report.delay_min = delays.front();
  report.delay_median = delays[delays.size() / 2];
  report.delay_p99 = delays[delays.size() * 99 / 100];
  report.delay_max = delays.back();
}

}  // namespace routevpn::test
