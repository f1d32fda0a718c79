#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::cli {

namespace {

using Faults = std::vector<std::string>;

template <typename Step>
void collect(Faults& faults, Step step) {
  try {
    step();
  } catch (const UsageErrors& errors) {
    faults.insert(faults.end(), errors.lines.begin(), errors.lines.end());
  } catch (const UsageError& error) {
    faults.emplace_back(error.what());
  } catch (const SystemError& error) {
    faults.emplace_back(error.what());
  }
}

void check_files(Faults& faults, const options::LinkOptions& options) {
  collect(faults, [&] { host::StateHook::require_trusted(options.on_state); });
  collect(faults, [&] {
    dtls::Identity::load({options.certificate, options.key, options.ca, options.crl, options.psk},
                         {options.peer_name, options.ciphers});
  });
}

void check_netns(Faults& faults, const std::string& option, const std::string& name) {
  if (!name.empty()) collect(faults, [&] { host::Netns::open(name, option); });
}

}  // namespace

int run_check(const CommandLine& line, const Console& console) {
  const auto& options = std::get<CheckLink>(line.command).options;
  auto faults = line.faults;
  check_files(faults, options);
  check_netns(faults, "--netns", options.netns);
  check_netns(faults, "--public-netns", options.public_netns);
  console.report(line.warnings, "warning: ");
  console.report(faults);
  if (!faults.empty()) return static_cast<int>(Exit::usage);
  console.out << to_config(options);
  return static_cast<int>(Exit::stopped);
}

}  // namespace routevpn::cli
