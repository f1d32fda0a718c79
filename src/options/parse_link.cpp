#include "routevpn/options/parse_link.hpp"

#include <algorithm>

#include "routevpn/base/mtu.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/options/config_file.hpp"
#include "routevpn/options/link_table.hpp"

namespace routevpn::options {

namespace {

constexpr auto nothing_to_do =
    "nothing to do: give --peer HOST[:PORT], --listen [ADDR:]PORT or --config FILE; "
    "--help lists the options";
constexpr std::size_t unix_path_bytes = 108;  // sockaddr_un::sun_path with its final zero, unix(7)

// Replaces client and server by what they stand for, and checks the options together. An option
// whose value was refused counts as given, so that one mistake is one fault.
class Rules {
 public:
  Rules(LinkDraft& draft, Reading& reading)
      : draft_(draft), options_(draft.options), reading_(reading) {}

  std::vector<std::string> run() {
    if (reading_.given.empty()) {
      reading_.report_missing(nothing_to_do);
      return {};
    }
    proof_of_concept();
    endpoints();
    lane_ports();
    peer_identity();
    inside();
    routing();
    timing();
    crypto();
    run_directory();
    return std::move(warnings_);
  }

 private:
  [[nodiscard]] bool has(std::string_view name) const { return reading_.has(name); }

  // The option as the user wrote it, or its name on the command line.
  [[nodiscard]] std::string label(std::string_view name) const {
    const auto at = reading_.given.find(name);
    return at == reading_.given.end() ? "--" + std::string(name) : at->second.label();
  }

  void fault(std::string text) { reading_.faults.push_back(std::move(text)); }
  void warn(std::string text) { warnings_.push_back(std::move(text)); }

  void proof_of_concept() {
    if (draft_.client && draft_.server) {
      fault(label("client") + ": excludes --server");
      draft_.server = false;
    }
    if (!draft_.client && !draft_.server) {
      for (const auto* option : {"host", "port"}) {
        if (has(option)) reading_.report_missing(label(option) + ": needs --client or --server");
      }
      return;
    }
    const std::string mode = draft_.client ? "client" : "server";
    for (const auto* option : {"peer", "listen"}) {
      if (has(option))
        fault(label(option) + ": has the same meaning as --" + mode + "; give one of them");
    }
    if (draft_.client) {
      if (!has("host")) reading_.report_missing(label("client") + ": needs --host");
      if (!draft_.host.empty()) options_.peers = {{draft_.host, draft_.port}};
    } else {
      listen();
      if (!has("nat")) options_.nat = true;
    }
    if (!has("ifname")) options_.ifname = "tun0";
    if (!has("address")) {
      options_.addresses = {*IpPrefix::parse(draft_.client ? "10.1.2.230/30" : "10.1.2.229/30")};
    }
    if (!has("peer-name")) {
      options_.peer_name = "*";
      warn(label(mode) + " without --peer-name: any certificate of the CA is accepted as the peer");
    }
  }

  void listen() {
    options_.listen = ListenAddress{std::nullopt, draft_.port};
    if (draft_.host.empty()) return;
    options_.listen->address = IpAddress::parse(draft_.host);
    if (!options_.listen->address) {
      fault(label("host") + ": with --server it must be an IPv4 or IPv6 address of this machine");
    }
  }

  void endpoints() {
    const bool any = has("peer") || has("listen") || draft_.client || draft_.server;
    const auto& file = options_.config_file;
    if (!any) {
      reading_.report_missing(file.empty()
                                  ? nothing_to_do
                                  : file + ": needs peer = HOST[:PORT] or listen = [ADDR:]PORT");
    }
    if (has("allow") && (has("peer") || draft_.client)) {
      fault(label("allow") + ": needs a link that waits for its peer (--listen without --peer)");
    }
    if (options_.listen && options_.listen->address) one_family(*options_.listen->address);
  }

  // The port of each lane is one above the port of the lane before.
  void lane_ports() {
    const unsigned above = options_.lanes - 1;
    const auto check = [&](std::uint16_t port, const char* option) {
      if (port + above <= highest_port) return;
      fault(label(option) + ": port " + std::to_string(port) + " leaves no room for " +
            std::to_string(options_.lanes) + " lanes, each with a port of its own; at most " +
            std::to_string(highest_port - above));
    };
    if (options_.listen) check(options_.listen->port, has("listen") ? "listen" : "port");
    for (const auto& peer : options_.peers) check(peer.port, has("peer") ? "peer" : "port");
  }

  // A socket that is bound to an IPv4 address cannot send to an IPv6 address, and vice versa.
  void one_family(const IpAddress& local) {
    if (local == *IpAddress::parse("::")) return;
    for (const auto& peer : options_.peers) {
      const auto remote = IpAddress::parse(peer.host.substr(0, peer.host.find('%')));
      if (remote && remote->is_v4() != local.is_v4()) {
        fault(label("listen") + ": " + local.to_string() + " cannot reach the peer " + peer.host +
              ", which is of the other IP version");
      }
    }
  }

  void peer_identity() {
    if (options_.peer_name.empty() && !has("peer-name")) {
      const auto& file = options_.config_file;
      reading_.report_missing(
          (file.empty() ? "--peer-name" : file + ": peer-name") +
          " is required: the name in the peer's certificate, or '*' for any of the CA");
    }
    if (options_.peer_name == "*" && has("peer-name")) {
      warn(label("peer-name") + " '*': any certificate of the CA is accepted as the peer");
    }
  }

  void inside() {
    for (std::size_t i = 0; i < options_.addresses.size(); ++i) {
      const auto& address = options_.addresses[i];
      const auto first =
          std::find_if(options_.addresses.begin(), options_.addresses.end(),
                       [&](const IpPrefix& other) { return other.address == address.address; });
      if (first != options_.addresses.begin() + static_cast<std::ptrdiff_t>(i)) {
        fault(label("address") + ": " + address.address.to_string() + " is given twice");
      }
    }
    if (!options_.mtu || *options_.mtu >= ipv6_minimum_mtu) return;
    for (const auto* prefixes : {&options_.addresses, &options_.routes}) {
      for (const auto& prefix : *prefixes) {
        if (prefix.address.is_v4()) continue;
        fault(label("mtu") + ": " + std::to_string(*options_.mtu) + " is too small for IPv6 (" +
              prefix.to_string() + "), which needs at least " + std::to_string(ipv6_minimum_mtu));
        return;
      }
    }
  }

  void routing() {
    if (has("table") && !has("route")) {
      reading_.report_missing(label("table") + ": needs --route");
    }
    const bool shared = options_.netns == options_.public_netns;
    if (!shared || options_.table != 0) return;
    for (const auto& route : options_.routes) {
      for (const auto& peer : options_.peers) {
        const auto remote = IpAddress::parse(peer.host);
        if (!remote || !route.contains(*remote)) continue;
        warn(label("route") + ": " + route.to_string() + " leads the link's own packets to " +
             peer.host + " into the link; give --table and --fwmark, or --netns");
      }
    }
  }

  void timing() {
    if (options_.dead_after > options_.keepalive) return;
    const auto text = [](auto period) { return std::to_string(period.count()); };
    fault(label("dead-after") + ": " + text(options_.dead_after) +
          " must be greater than keepalive, " + text(options_.keepalive) + " milliseconds");
  }

  void crypto() {
    if (!options_.crypto || record::backend_available(*options_.crypto)) return;
    fault(label("crypto") + ": " + std::string(record::name_of(*options_.crypto)) +
          " is not in this build, or not for this processor; use auto");
  }

  void run_directory() {
    // Without a file, the link has the name of the interface, which the kernel may complete.
    const std::size_t name =
        options_.link.empty() ? max_interface_name_bytes : options_.link.size();
    const std::size_t room = unix_path_bytes - sizeof "/.sock";
    if (options_.run_dir.size() + name > room) {
      fault(label("run-dir") + ": together with the link's name it must not be longer than " +
            std::to_string(room) + " characters, for the socket in it");
    }
  }

  LinkDraft& draft_;
  LinkOptions& options_;
  Reading& reading_;
  std::vector<std::string> warnings_;
};

std::string stem(const std::string& path) {
  const auto file = path.substr(path.rfind('/') + 1);
  const auto dot = file.rfind('.');
  return dot == std::string::npos || dot == 0 ? file : file.substr(0, dot);
}

}  // namespace

ParsedLink parse_link(std::span<const std::string> arguments) {
  LinkDraft draft;
  const auto table = link_table(draft);
  const auto settings = parse_arguments(table, arguments);
  ParsedLink parsed;
  Settings file;
  const auto& given = settings.settings;
  const auto config = std::find_if(given.begin(), given.end(), [](const Setting& setting) {
    return setting.name == "config" && setting.value;
  });
  if (config != given.end()) {
    draft.options.link = stem(*config->value);
    try {
      file = read_config(*config->value);
    } catch (const UsageError& error) {
      // Without the file, every other fault could be a consequence.
      parsed.faults = {error.what()};
      parsed.file_was_read = false;
      return parsed;
    }
  }
  auto reading = store(table, settings, file);
  if (reading.has("version")) parsed.request = ParsedLink::Request::version;
  if (reading.has("help")) parsed.request = ParsedLink::Request::help;
  reading.refuse_operands();
  parsed.warnings = Rules(draft, reading).run();
  parsed.options = std::move(draft.options);
  parsed.faults = std::move(reading.faults);
  return parsed;
}

}  // namespace routevpn::options
