// Measures each stage of a packet's path alone, in nanoseconds per packet.
//
//     stages [--quick] [--benchmark_filter=REGEX] [--benchmark_out=FILE]
//
// Prints a Markdown table with the median, minimum and maximum of the repetitions. The repetitions
// of all stages are interleaved in random order, so that a temporary slow-down of the machine
// affects all stages alike. --quick runs every stage once and briefly, as a test of this program.
// Only the stage is timed. Its output is checked, and a wrong result ends the program with exit
// status 1.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <benchmark/benchmark.h>

#include "stage.hpp"
#include "stage_table.hpp"

namespace routevpn::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

constexpr std::array<std::size_t, 3> payload_sizes = {64, 576, 1400};

// The time between two consecutive clock readings.
Nanoseconds clock_cost() {
  Nanoseconds least = std::chrono::seconds(1);
  for (int i = 0; i < 1000; ++i) {
    const auto start = Clock::now();
    least = std::min<Nanoseconds>(least, Clock::now() - start);
  }
  return least;
}

[[noreturn]] void refuse(const benchmark::State& state, const std::string& name) {
  std::fprintf(stderr, "stages: '%s' with %lld bytes returned a wrong result\n", name.c_str(),
               static_cast<long long>(state.range(0)));
  std::exit(1);
}

void measure(benchmark::State& state, const StageChoice& choice) {
  static const Nanoseconds overhead = clock_cost();
  const auto stage = choice.make(static_cast<std::size_t>(state.range(0)));
  bool is_first = true;
  Nanoseconds all{0};
  for ([[maybe_unused]] auto _ : state) {
    stage->prepare();
    const auto start = Clock::now();
    const std::size_t packets = stage->run();
    const Nanoseconds took = Clock::now() - start - overhead;
    state.SetIterationTime(std::max(took.count(), 0.0) / 1e9);
    all += took;
    if (packets != stage->packets()) refuse(state, choice.name);
    if (is_first && !stage->is_right()) refuse(state, choice.name);
    is_first = false;
  }
  state.counters[StageTable::counter] =
      all.count() / static_cast<double>(state.iterations()) / static_cast<double>(stage->packets());
}

void add(const StageChoice& choice, bool quick) {
  for (const std::size_t payload : payload_sizes) {
    auto* const one = benchmark::RegisterBenchmark(
        choice.name.c_str(), [choice](benchmark::State& state) { measure(state, choice); });
    one->Arg(choice.any_payload ? 0 : static_cast<std::int64_t>(payload));
    one->UseManualTime()->Repetitions(quick ? 1 : 11)->MinTime(quick ? 1e-6 : 0.02);
    if (choice.any_payload) return;
  }
}

}  // namespace
}  // namespace routevpn::bench

int main(int argc, char** argv) {
  using namespace routevpn::bench;
  char interleave[] = "--benchmark_enable_random_interleaving=true";
  bool quick = false;
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--quick") {
      quick = true;
    } else {
      arguments.push_back(argv[i]);
    }
  }
  arguments.insert(arguments.begin() + 1, interleave);
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;

  std::vector<std::string> names;
  for (const auto& stages : {segment_stages(), record_stages(), coalesce_stages(), lane_stages()}) {
    for (const StageChoice& choice : stages) {
      add(choice, quick);
      names.push_back(choice.name);
    }
  }
  StageTable table(names, payload_sizes);
  benchmark::RunSpecifiedBenchmarks(&table);
  return table.empty() ? 1 : 0;
}
