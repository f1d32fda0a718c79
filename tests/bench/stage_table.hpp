// The results as one Markdown table: a row for each stage, a column for each payload length.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace routevpn::bench {

class StageTable : public benchmark::BenchmarkReporter {
 public:
  // The counter that holds a run's nanoseconds per packet.
  static constexpr const char* counter = "ns_per_packet";

  // Rows appear in this order; stages without results are omitted.
  StageTable(std::vector<std::string> names, std::span<const std::size_t> payloads);

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& report) override;
  void Finalize() override;
  [[nodiscard]] bool empty() const { return rows_.empty(); }

 private:
  using Repetitions = std::vector<double>;
  using Row = std::map<std::string, Repetitions>;  // by payload length; "0": independent of it

  std::vector<std::string> names_;
  std::vector<std::string> payloads_;
  std::map<std::string, Row> rows_;
};

}  // namespace routevpn::bench
