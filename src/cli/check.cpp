#include "routevpn/cli/check.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::cli {

namespace {

using Faults = std::vector<std::string>;

template <typename Step>
void collect(Faults& faults, Step step) {
  try {
    step();
  } catch (const UsageError& error) {
    faults.emplace_back(error.what());
  } catch (const SystemError& error) {
    faults.emplace_back(error.what());
  }
}

// Identity::load() stops at the first fault, so every file that cannot be read is found before.
Faults credential_faults(const options::LinkOptions& options) {
  Faults faults;
  const auto require_readable = [&](const std::string& option, const std::string& path) {
    if (path.empty() || ::access(path.c_str(), R_OK) == 0) return;
    faults.push_back("--" + option + " " + path + ": cannot be read: " + std::strerror(errno));
  };
  require_readable("cert", options.certificate);
  require_readable("key", options.key);
  require_readable("ca", options.ca);
  require_readable("crl", options.crl);
  if (!faults.empty()) return faults;
  collect(faults, [&] {
    dtls::Identity::load({options.certificate, options.key, options.ca, options.crl},
                         {options.peer_name, options.ciphers});
  });
  return faults;
}

}  // namespace

Examination Examination::of_system() {
  return {credential_faults, [](const std::string& name, const std::string& option) {
            host::Netns::open(name, option);
          }};
}

int run_check(const CommandLine& line, const Examination& examination, const Console& console) {
  const auto& options = std::get<CheckLink>(line.command).options;
  auto faults = line.faults;
  const auto credentials = examination.credentials(options);
  faults.insert(faults.end(), credentials.begin(), credentials.end());
  const auto require_netns = [&](const std::string& name, const std::string& option) {
    if (!name.empty()) collect(faults, [&] { examination.netns(name, option); });
  };
  require_netns(options.netns, "--netns");
  require_netns(options.public_netns, "--public-netns");
  console.report(line.warnings, "warning: ");
  console.report(faults);
  if (!faults.empty()) return static_cast<int>(Exit::usage);
  console.out << to_config(options);
  return static_cast<int>(Exit::stopped);
}

}  // namespace routevpn::cli
