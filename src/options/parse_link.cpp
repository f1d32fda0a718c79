#include "routevpn/options/parse_link.hpp"

#include <algorithm>
#include <filesystem>

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
struct Rules {
  LinkDraft& draft;
  Reading& reading;
  LinkOptions& options = draft.options;
  std::vector<std::string> warnings = {};

  std::vector<std::string> run() {
    if (reading.given.empty()) {
      reading.report_missing(nothing_to_do);
      return {};
    }
    proof_of_concept();
    endpoints();
    lane_ports();
    peer_identity();
    preshared_keys();
    inside();
    routing();
    timing();
    crypto();
    run_directory();
    sandbox();
    return std::move(warnings);
  }

  [[nodiscard]] bool has(std::string_view name) const { return reading.has(name); }

  // The option as the user wrote it, or its name on the command line.
  [[nodiscard]] std::string label(std::string_view name) const {
    const auto at = reading.given.find(name);
    return at == reading.given.end() ? "--" + std::string(name) : at->second.label();
  }

  void fault(std::string_view option, const std::string& text) {
    reading.faults.push_back(label(option) + ": " + text);
  }
  // For something that is missing, see Reading::report_missing().
  void missing(std::string_view option, const std::string& text) {
    reading.report_missing(label(option) + ": " + text);
  }

  void proof_of_concept() {
    if (draft.client && draft.server) {
      fault("client", "excludes --server");
      draft.server = false;
    }
    if (!draft.client && !draft.server) {
      for (const auto* option : {"host", "port"}) {
        if (has(option)) missing(option, "needs --client or --server");
      }
      return;
    }
    const std::string mode = draft.client ? "client" : "server";
    for (const auto* option : {"peer", "listen"}) {
      if (has(option)) fault(option, "has the same meaning as --" + mode + "; give one of them");
    }
    if (draft.client) {
      if (!has("host")) missing("client", "needs --host");
      if (!draft.host.empty()) options.peers = {{draft.host, draft.port}};
    } else {
      listen();
      if (!has("nat")) options.nat = true;
    }
    if (!has("ifname")) options.ifname = "tun0";
    if (!has("address")) {
      options.addresses = {*IpPrefix::parse(draft.client ? "10.1.2.230/30" : "10.1.2.229/30")};
    }
    if (!has("peer-name")) {
      options.peer_name = "*";
      warnings.push_back(label(mode) +
                         " without --peer-name: any certificate of the CA is accepted as the peer");
    }
  }

  void listen() {
    options.listen = ListenAddress{std::nullopt, draft.port};
    if (draft.host.empty()) return;
    options.listen->address = IpAddress::parse(draft.host);
    if (!options.listen->address) {
      fault("host", "with --server it must be an IPv4 or IPv6 address of this machine");
    }
  }

  void endpoints() {
    const auto& file = options.config_file;
    if (!has("peer") && !has("listen") && !draft.client && !draft.server) {
      reading.report_missing(file.empty()
                                 ? nothing_to_do
                                 : file + ": needs peer = HOST[:PORT] or listen = [ADDR:]PORT");
    }
    if (has("allow") && (has("peer") || draft.client)) {
      fault("allow", "needs a link that waits for its peer (--listen without --peer)");
    }
    if (options.peers.size() > most_peers) {
      fault("peer", "is given " + std::to_string(options.peers.size()) + " times; at most " +
                        std::to_string(most_peers));
    }
    if (options.listen && options.listen->address) one_family(*options.listen->address);
  }

  // The port of each lane is one above the port of the lane before.
  void lane_ports() {
    const unsigned above = options.lanes - 1;
    const auto check = [&](std::uint16_t port, const char* option) {
      if (port + above <= highest_port) return;
      fault(option, "port " + std::to_string(port) + " leaves no room for " +
                        std::to_string(options.lanes) +
                        " lanes, each with a port of its own; at most " +
                        std::to_string(highest_port - above));
    };
    if (options.listen) check(options.listen->port, has("listen") ? "listen" : "port");
    for (const auto& peer : options.peers) check(peer.port, has("peer") ? "peer" : "port");
  }

  // A socket that is bound to an IPv4 address cannot send to an IPv6 address, and vice versa.
  void one_family(const IpAddress& local) {
    if (local == *IpAddress::parse("::")) return;
    for (const auto& peer : options.peers) {
      const auto remote = IpAddress::parse(peer.host.substr(0, peer.host.find('%')));
      if (remote && remote->is_v4() != local.is_v4()) {
        fault("listen", local.to_string() + " cannot reach the peer " + peer.host +
                            ", which is of the other IP version");
      }
    }
  }

  void peer_identity() {
    if (options.peer_name.empty() && !has("peer-name")) {
      const auto& file = options.config_file;
      reading.report_missing(
          (file.empty() ? "--peer-name" : file + ": peer-name") +
          " is required: the name in the peer's certificate, or '*' for any of the CA");
    }
    if (options.peer_name == "*" && has("peer-name")) {
      warnings.push_back(label("peer-name") +
                         " '*': any certificate of the CA is accepted as the peer");
    }
  }

  void preshared_keys() {
    if (options.psk.size() > 2) fault("psk", "at most two files: the new key and the old key");
    if (options.psk.size() == 2 && options.psk[0] == options.psk[1]) {
      fault("psk", options.psk[0] + " is given twice");
    }
  }

  void inside() {
    const auto& all = options.addresses;
    for (auto at = all.begin(); at != all.end(); ++at) {
      const auto is_same = [&](const IpPrefix& other) { return other.address == at->address; };
      const bool again = std::any_of(all.begin(), at, is_same);
      if (again) fault("address", at->address.to_string() + " is given twice");
    }
    if (!options.mtu || *options.mtu >= ipv6_minimum_mtu) return;
    for (const auto* prefixes : {&options.addresses, &options.routes}) {
      for (const auto& prefix : *prefixes) {
        if (prefix.address.is_v4()) continue;
        fault("mtu", std::to_string(*options.mtu) + " is too small for IPv6 (" +
                         prefix.to_string() + "), which needs at least " +
                         std::to_string(ipv6_minimum_mtu));
        return;
      }
    }
  }

  void routing() {
    if (has("table") && !has("route")) missing("table", "needs --route");
    if (options.netns != options.public_netns || options.table != 0) return;
    for (const auto& route : options.routes) {
      for (const auto& peer : options.peers) {
        const auto remote = IpAddress::parse(peer.host);
        if (!remote || !route.contains(*remote)) continue;
        warnings.push_back(label("route") + ": " + route.to_string() +
                           " leads the link's own packets to " + peer.host +
                           " into the link; give --table and --fwmark, or --netns");
      }
    }
  }

  void timing() {
    if (has("detection") && (has("keepalive") || has("dead-after"))) {
      fault("detection", "cannot be combined with keepalive and dead-after");
    }
    const auto keepalive = options.keepalive.value_or(LinkOptions::default_keepalive);
    const auto dead_after = options.dead_after.value_or(LinkOptions::default_dead_after);
    if (dead_after > keepalive) return;
    const auto text = [](auto period) { return std::to_string(period.count()); };
    fault("dead-after", text(dead_after) + " must be greater than keepalive, " + text(keepalive) +
                            " milliseconds");
  }

  void crypto() {
    if (!options.crypto || record::backend_available(*options.crypto)) return;
    fault("crypto", std::string(record::name_of(*options.crypto)) +
                        " is not in this build, or not for this processor; use auto");
  }

  void run_directory() {
    // Without a file, the link has the name of the interface, which the kernel may complete.
    const std::size_t name = options.link.empty() ? max_interface_name_bytes : options.link.size();
    const std::size_t room = unix_path_bytes - sizeof "/.sock";
    if (options.run_dir.size() + name > room) {
      fault("run-dir", "together with the link's name it must not be longer than " +
                           std::to_string(room) + " characters, for the socket in it");
    }
  }

  void sandbox() {
    if (!options.no_sandbox) return;
    warnings.push_back(label("no-sandbox") +
                       ": the worker keeps its user, all system calls and all files; use it for "
                       "debugging only");
  }
};

}  // namespace

ParsedLink parse_link(std::span<const std::string> arguments) {
  LinkDraft draft;
  const auto table = link_table(draft);
  const auto settings = parse_arguments(table, arguments);
  ParsedLink parsed;
  Settings file;
  const auto config = std::ranges::find_if(settings.settings, [](const Setting& setting) {
    return setting.name == "config" && setting.value;
  });
  if (config != settings.settings.end()) {
    draft.options.link = std::filesystem::path(*config->value).stem();
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
  parsed.warnings = Rules{draft, reading}.run();
  parsed.options = std::move(draft.options);
  parsed.faults = std::move(reading.faults);
  return parsed;
}

}  // namespace routevpn::options
