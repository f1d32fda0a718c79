#include "routevpn/base/error.hpp"
#include "routevpn/cli/run.hpp"

namespace routevpn::cli {

namespace {

template <typename Probe>
void collect(std::vector<std::string>& faults, Probe probe) {
  try {
    probe();
  } catch (const UsageError& error) {
    faults.emplace_back(error.what());
  } catch (const SystemError& error) {
    faults.emplace_back(error.what());
  }
}

}  // namespace

int run_check(const CommandLine& line, const Probes& probes, const Console& console) {
  const auto& options = std::get<CheckLink>(line.command).options;
  auto faults = line.faults;
  collect(faults, [&] { probes.credentials(options); });
  if (!options.netns.empty()) {
    collect(faults, [&] { probes.netns(options.netns, "--netns"); });
  }
  if (!options.public_netns.empty()) {
    collect(faults, [&] { probes.netns(options.public_netns, "--public-netns"); });
  }
  for (const auto& warning : line.warnings) console.err << "routevpn: warning: " << warning << "\n";
  console.complain(faults);
  if (!faults.empty()) return static_cast<int>(Exit::usage);
  console.out << to_config(options);
  return static_cast<int>(Exit::stopped);
}

}  // namespace routevpn::cli
