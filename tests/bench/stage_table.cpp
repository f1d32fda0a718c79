#include "stage_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace routevpn::bench {
namespace {

std::string cell(std::vector<double> values) {
  if (values.empty()) return "";
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  std::array<char, 64> text{};
  if (values.size() == 1) {
    std::snprintf(text.data(), text.size(), "%.1f", median);
  } else {
    std::snprintf(text.data(), text.size(), "%.1f (%.1f–%.1f)", median, values.front(),
                  values.back());
  }
  return text.data();
}

}  // namespace

StageTable::StageTable(std::vector<std::string> names, std::span<const std::size_t> payloads)
    : names_(std::move(names)) {
  for (const std::size_t payload : payloads) payloads_.push_back(std::to_string(payload));
}

bool StageTable::ReportContext(const Context& /*context*/) {
  return true;
}

void StageTable::ReportRuns(const std::vector<Run>& report) {
  for (const Run& run : report) {
    if (run.run_type != Run::RT_Iteration) continue;
    rows_[run.run_name.function_name][run.run_name.args].push_back(run.counters.at(counter).value);
  }
}

void StageTable::Finalize() {
  std::string line = "| ns per packet |";
  std::string ruler = "|---|";
  for (const std::string& payload : payloads_) {
    line += " " + payload + " bytes |";
    ruler += "--:|";
  }
  std::printf("%s\n%s\n", line.c_str(), ruler.c_str());
  for (const std::string& name : names_) {
    const auto found = rows_.find(name);
    if (found == rows_.end()) continue;
    line = "| " + name + " |";
    for (const std::string& payload : payloads_) {
      const auto any = found->second.find("0");
      line += " ";
      if (any == found->second.end()) {
        line += cell(found->second[payload]);
      } else {
        line += payload == payloads_.front() ? cell(any->second) : "the same";
      }
      line += " |";
    }
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace routevpn::bench
