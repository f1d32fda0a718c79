#include "routevpn/doctor/doctor.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/status_client.hpp"
#include "routevpn/doctor/host_machine.hpp"
#include "routevpn/options/config_file.hpp"
#include "routevpn/options/parse_link.hpp"

namespace routevpn::cli {

namespace {

constexpr std::string_view config_suffix = ".conf";
constexpr std::chrono::milliseconds reply_timeout{2000};

std::vector<std::string> configured_links(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == config_suffix) names.push_back(entry.path().stem());
  }
  if (error) throw UsageError("--config-dir " + directory + ": " + error.message());
  std::ranges::sort(names);
  return names;
}

nlohmann::json status_of(const std::string& run_dir, const std::string& link) {
  try {
    auto stream = StatusStream::ask(run_dir, link, "status");
    if (stream) return stream->read_object(reply_timeout);
  } catch (const SystemError&) {  // a link that hangs is not running
  }
  return nullptr;
}

// The kernel completes an interface name with "%d". Then the unit's name is the likely one.
std::string socket_of(const doctor::Link& link) {
  if (!link.options.link.empty()) return link.options.link;
  const auto& ifname = link.options.ifname;
  return ifname.find('%') == std::string::npos ? ifname : link.name;
}

// What a file says that a link refuses as a whole, for example because others can write to it. The
// checks examine also what such a file names.
options::LinkOptions options_of_refused(const std::string& file) {
  std::vector<std::string> arguments;
  try {
    for (const auto& setting : options::parse_config(read_file(file), file).settings) {
      if (!setting.value || setting.name == "config") continue;
      arguments.push_back(
          std::string("--").append(setting.name).append("=").append(*setting.value));
    }
  } catch (const UsageError&) {  // nothing of the file can be read
    return {};
  }
  auto options = options::parse_link(arguments).options;
  options.link = std::filesystem::path(file).stem();
  options.config_file = file;
  return options;
}

doctor::Link examine(const ExamineGateway& request, const std::string& name) {
  const auto file = request.config_dir + "/" + name + std::string(config_suffix);
  if (!exists(file)) throw UsageError("link '" + name + "': there is no " + file);
  const std::vector<std::string> arguments{"--config", file};
  auto parsed = options::parse_link(arguments);
  doctor::Link link{name, file, std::move(parsed.options), std::move(parsed.faults)};
  if (!parsed.file_was_read) link.options = options_of_refused(file);
  if (request.run_dir) link.options.run_dir = *request.run_dir;
  link.status = status_of(link.options.run_dir, socket_of(link));
  return link;
}

}  // namespace

int run(const ExamineGateway& request, const Console& console) {
  if (geteuid() != 0) throw UsageError("doctor: must run as root, to see namespaces and nftables");
  doctor::Gateway gateway{{}, request.config_dir};
  const auto names = request.links.empty() ? configured_links(request.config_dir) : request.links;
  for (const auto& name : names) gateway.links.push_back(examine(request, name));
  if (gateway.links.empty()) console.report("there is no link in " + request.config_dir);
  const auto findings = doctor::examine(gateway, doctor::HostMachine());
  if (request.json) {
    console.out << to_json(findings).dump(2, ' ', true, nlohmann::json::error_handler_t::replace)
                << "\n";
  } else {
    console.out << to_text(findings);
    if (findings.empty()) console.out << "no finding\n";
  }
  return static_cast<int>(doctor::has_fault(findings) ? Exit::failed : Exit::stopped);
}

}  // namespace routevpn::cli
