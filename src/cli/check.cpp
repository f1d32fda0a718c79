#include <string>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::cli {

namespace {

struct Faults {
  std::vector<std::string> lines;
  bool usage = false;  // at least one does not end without a change of the options

  void add(const UsageError& error, const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
    usage = usage || error.status == Exit::usage;
  }
  [[nodiscard]] Exit status() const {
    if (lines.empty()) return Exit::stopped;
    return usage ? Exit::usage : Exit::failed;
  }
};

template <typename Step>
void collect(Faults& faults, Step step) {
  try {
    step();
  } catch (const UsageErrors& errors) {
    faults.add(errors, errors.lines);
  } catch (const UsageError& error) {
    faults.add(error, {error.what()});
  } catch (const SystemError& error) {
    faults.lines.emplace_back(error.what());
  }
}

void check_files(Faults& faults, const options::LinkOptions& options) {
  collect(faults, [&] { host::StateHook::require_trusted(options.on_state); });
  collect(faults, [&] {
    dtls::load_for_link({options.certificate, options.key, options.ca, options.crl, options.psk},
                        {options.peer_name, options.ciphers, options.crl_grace}, true);
  });
}

void check_netns(Faults& faults, const std::string& option, const std::string& name) {
  if (!name.empty()) collect(faults, [&] { host::Netns::open(name, option); });
}

}  // namespace

int run_check(const CommandLine& line, const Console& console) {
  const auto& options = std::get<CheckLink>(line.command).options;
  Faults faults{line.faults, !line.faults.empty()};
  check_files(faults, options);
  check_netns(faults, "--netns", options.netns);
  check_netns(faults, "--public-netns", options.public_netns);
  console.report(line.warnings, "warning: ");
  console.report(faults.lines);
  if (faults.lines.empty()) console.out << to_config(options);
  return static_cast<int>(faults.status());
}

}  // namespace routevpn::cli
