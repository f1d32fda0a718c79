#include "routevpn/exporter/command_line.hpp"

#include <algorithm>

#include "routevpn/options/settings.hpp"

namespace routevpn::exporter {

namespace {

using options::command_line_flag, options::flag, options::repeatable, options::single;

SocketAddress parse_address(const std::string& text) {
  const auto listen = options::parse_listen(text);
  // A metrics server that listens on all addresses must be told so.
  return {listen.address.value_or(IpAddress::v4({127, 0, 0, 1})), listen.port};
}

std::string help() {
  Options defaults;
  return "Usage: routevpn-exporter [OPTION...]\n"
         "       routevpn-exporter --once [LINK...] [OPTION...]\n\n"
         "Serves the state of VPN links and of BIRD over HTTP, for Prometheus and for a "
         "browser.\n\n" +
         options::help_text(option_table(defaults)) + "\nroutevpn-exporter(8) explains all.\n";
}

void require_names(const std::vector<std::string>& links, std::vector<std::string>& faults) {
  for (const auto& link : links) {
    if (!link.empty() && link.find('/') == std::string::npos) continue;
    faults.push_back("link '" + link + "': must be a name without '/'");
  }
}

}  // namespace

options::OptionTable option_table(Options& options) {
  return {
      {"listen", "[ADDR:]PORT", "address and port of the HTTP server",
       single(options.listen, options::spelled<SocketAddress>(parse_address))},
      {"host", "NAME", "name of this server that requests may use; may be repeated",
       repeatable(options.hosts, {options::parse_host})},
      {"run-dir", "DIR", "directory of the links' control sockets",
       single(options.sources.run_dir)},
      {"bird", "SOCKET", "control socket of BIRD, instead of all in DIR/bird; may be repeated",
       repeatable(options.sources.birds, options::text())},
      {"topology", "FILE", "topology file: the site of each peer, and the map of the network",
       single(options.topology)},
      {"once", "", "print the metrics once, without a server", flag(options.once)},
      command_line_flag("help", "print this help"),
      command_line_flag("version", "print the version"),
  };
}

CommandLine parse_command_line(std::span<const std::string> arguments) {
  CommandLine line;
  const auto table = option_table(line.options);
  auto reading = options::store(table, options::parse_arguments(table, arguments));
  if (reading.has("help")) return {{}, help()};
  if (reading.has("version")) return {{}, "routevpn-exporter " ROUTEVPN_VERSION "\n"};
  if (!line.options.once) reading.refuse_operands();
  require_names(reading.operands, reading.faults);
  line.options.sources.links = reading.operands;
  line.faults = std::move(reading.faults);
  return line;
}

}  // namespace routevpn::exporter
