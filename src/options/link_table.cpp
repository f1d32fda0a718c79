#include "routevpn/options/link_table.hpp"

#include "routevpn/base/mtu.hpp"
#include "routevpn/options/config_file.hpp"

namespace routevpn::options {

namespace {

using std::chrono::milliseconds, std::chrono::seconds;

constexpr std::uint32_t highest_dscp = 63;  // 6 bits (RFC 2474)

// More than 100 keepalives per second would be a load of their own. A silence of more than 10 min
// is no detection.
constexpr std::uint32_t shortest_probe_ms = 10;
constexpr std::uint32_t longest_silence_ms = 10 * 60 * 1000;
// The limit of doubled delays: session::FlapDamper.
constexpr std::uint32_t longest_up_delay_ms = 60 * 1000;
// A replaced association is kept for 10 s, so at most one replaced association exists.
constexpr std::uint32_t shortest_rekey_s = 10;
constexpr std::uint32_t longest_rekey_s = 24 * 3600;
// With fewer records, the next rekey is due at full speed before the last one has ended. With more,
// AES-GCM's limit may come first.
constexpr std::uint32_t fewest_rekey_records = 10'000;
constexpr std::uint32_t most_rekey_records = 1U << 23;
constexpr std::uint32_t longest_crl_grace_days = 3650;

Format<milliseconds> period() {
  return number<milliseconds>(shortest_probe_ms, longest_silence_ms, " milliseconds");
}

Format<std::optional<record::CryptoBackend>> crypto_backend() {
  using record::CryptoBackend;
  std::vector<std::pair<std::optional<CryptoBackend>, std::string>> pairs = {
      {std::nullopt, "auto"}};
  for (const auto backend : {CryptoBackend::openssl, CryptoBackend::ipsec_mb}) {
    pairs.emplace_back(backend, record::name_of(backend));
  }
  return one_of(pairs);
}

Format<LogLevel> log_level() {
  std::vector<std::pair<LogLevel, std::string>> pairs;
  for (std::size_t i = 0; i < log_level_names.size(); ++i) {
    pairs.emplace_back(static_cast<LogLevel>(i), log_level_names[i]);
  }
  return one_of(pairs);
}

// The first proof-of-concept's options, which Rules replaces.
Value alias(Value value) {
  value.write = nullptr;
  return value;
}

OptionTable peer_options(LinkDraft& draft) {
  auto& o = draft.options;
  return {
      {"peer", "HOST[:PORT]", "initiate to this address; several are tried in turn",
       repeatable(o.peers, spelled(parse_peer))},
      {"listen", "[ADDR:]PORT", "local UDP address; without --peer, wait for the peer",
       single(o.listen, optional(spelled(parse_listen)))},
      {"allow", "PREFIX", "only these sources may start a handshake or be roamed to",
       repeatable(o.allow, spelled(parse_network))},
      {"public-netns", "NETNS", "namespace of the UDP socket", single(o.public_netns)},
      {"fwmark", "N", "mark of the outer packets", single(o.fwmark, number<std::uint32_t>(1))},
      {"dscp", "copy|N", "DSCP of the outer packets, 0 to 63; copy: of the inner packet",
       single(o.dscp, optional(number<std::uint8_t>(0, highest_dscp), "copy"))},
      {"client", "", "same as --peer HOST:PORT --peer-name '*'", alias(flag(draft.client)), 'c'},
      {"server", "", "same as --listen HOST:PORT --peer-name '*' --nat", alias(flag(draft.server)),
       's'},
      {"host", "HOST", "address for --client or --server", alias(single(draft.host, {parse_host})),
       'h'},
      {"port", "PORT", "port for --client or --server",
       alias(single(draft.port, {parse_port, [](auto port) { return std::to_string(port); }})),
       'p'},
  };
}

OptionTable interface_options(LinkOptions& o) {
  return {
      {"ifname", "NAME", "interface; %d: the first free number",
       single(o.ifname, {parse_ifname, text().write}), 'n'},
      {"address", "CIDR", "inside address",
       repeatable(o.addresses, spelled(parse_interface_address)), 'a'},
      {"netns", "NETNS", "namespace of the interface: ip-netns name, path or pid", single(o.netns)},
      {"mtu", "N|auto", "inside MTU; auto: probed",
       single(o.mtu, optional(number<unsigned>(ipv4_minimum_mtu, maximum_mtu, " bytes"), "auto"))},
      {"lanes", "N", "lanes, each with its queue, port and association",
       single(o.lanes, number<unsigned>(1, most_lanes))},
      {"route", "PREFIX", "route through the link", repeatable(o.routes, spelled(parse_network))},
      {"accept", "PREFIX|routed",
       "only these inner sources may come from the peer; routed: by routes",
       repeatable(o.accept, optional(spelled(parse_network), "routed"))},
      {"table", "N", "routing table of --route (main)", single(o.table, number<std::uint32_t>(1))},
      {"nat", "", "masquerade and forward what comes out of the link", flag(o.nat)},
  };
}

OptionTable credential_options(LinkOptions& o) {
  return {
      {"cert", "FILE", "certificate of this gateway, PEM", single(o.certificate), 'C'},
      {"key", "FILE", "its private key, PEM", single(o.key), 'K'},
      {"ca", "FILE", "CA of the peer, PEM", single(o.ca), 'A'},
      {"crl", "FILE", "revoked certificates, PEM", single(o.crl)},
      {"crl-grace", "DAYS", "an expired CRL stays in force for this time; 0: not at all",
       single(o.crl_grace, number<std::chrono::days>(0, longest_crl_grace_days, " days"))},
      {"psk", "FILE", "pre-shared key; given twice: the first is used, both are accepted",
       repeatable(o.psk, text())},
      {"peer-name", "NAME", "name in the peer's certificate; '*': any of the CA",
       single(o.peer_name)},
      {"ciphers", "LIST", "OpenSSL names of AEAD suites", single(o.ciphers)},
      {"crypto", "NAME", "library for encryption", single(o.crypto, crypto_backend())},
      {"rekey", "SECONDS", "longest time between rekeys",
       single(o.rekey, number<seconds>(shortest_rekey_s, longest_rekey_s, " seconds"))},
      {"rekey-records", "N", "rekey after this number of records",
       single(o.rekey_records, optional(number<std::uint64_t>(fewest_rekey_records,
                                                              most_rekey_records, " records")))},
  };
}

OptionTable running_options(LinkOptions& o) {
  return {
      {"detection", "SPEED", "how fast a dead peer is detected",
       single(o.detection, optional(one_of<Detection>({{Detection::fast, "fast"},
                                                       {Detection::normal, "normal"},
                                                       {Detection::patient, "patient"}})))},
      {"keepalive", "MS", "in place of --detection: interval between keepalives",
       single(o.keepalive, optional(period()))},
      {"dead-after", "MS", "in place of --detection: the peer is dead after this silence",
       single(o.dead_after, optional(period()))},
      {"up-delay", "MS", "after a flap, stable for this time before carrier returns",
       single(o.up_delay, number<milliseconds>(0, longest_up_delay_ms, " milliseconds"))},
      {"on-state", "CMD", "run at each change of state", single(o.on_state)},
      {"run-dir", "DIR", "directory of the control socket LINK.sock", single(o.run_dir)},
      {"log-level", "LEVEL", "lowest level to log", single(o.log_level, log_level())},
      {"log-format", "FORMAT", "form of log lines",
       single(o.log_format,
              one_of<LogFormat>({{LogFormat::text, "text"}, {LogFormat::json, "json"}}))},
      {"user", "NAME", "user of the worker; without it routevpn", single(o.user)},
      {"no-sandbox", "", "for debuggers: the worker keeps user, system calls and files",
       flag(o.no_sandbox)},
      {"config", "FILE", "read options from FILE, name = value", alias(single(o.config_file)),
       no_letter, true},
      command_line_flag("help", "print the options"),
      command_line_flag("version", "print the version"),
  };
}

}  // namespace

OptionTable link_table(LinkDraft& draft) {
  OptionTable table;
  const auto add = [&](std::string_view group, OptionTable options) {
    for (auto& option : options) {
      option.group = group;
      table.push_back(std::move(option));
    }
  };
  add("The peer", peer_options(draft));
  add("The interface", interface_options(draft.options));
  add("Credentials", credential_options(draft.options));
  add("Running", running_options(draft.options));
  return table;
}

std::string to_config(const LinkOptions& options) {
  LinkDraft draft;
  draft.options = options;
  return write_config(link_table(draft));
}

LinkOptions from_config(std::string_view text) {
  LinkDraft draft;
  const auto reading = store(link_table(draft), {}, parse_config(text, "the link's options"));
  if (!reading.faults.empty()) throw UsageErrors(reading.faults);
  return draft.options;
}

}  // namespace routevpn::options
