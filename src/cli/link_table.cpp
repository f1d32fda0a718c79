#include "routevpn/cli/link_table.hpp"

#include <limits>

#include "routevpn/cli/values.hpp"

namespace routevpn::cli {

namespace {

using Kind = Option::Kind;
using std::chrono::milliseconds, std::chrono::seconds;

constexpr char no_letter = '\0';
constexpr std::uint32_t highest_u32 = std::numeric_limits<std::uint32_t>::max();

// Probes oftener than each 10 ms would be traffic of their own; a link that may be silent for
// longer than ten minutes is not watched at all.
constexpr std::uint32_t shortest_probe_ms = 10;
constexpr std::uint32_t longest_silence_ms = 10 * 60 * 1000;
// As long as doubled delays become: link::FlapDamper.
constexpr std::uint32_t longest_up_delay_ms = 60 * 1000;
// An association that was replaced is kept for 10 s: never more than one of them at a time.
constexpr std::uint32_t shortest_rekey_s = 10;
constexpr std::uint32_t longest_rekey_s = 24 * 3600;
constexpr std::uint32_t most_lanes = 16;
// Fewer, and at full speed a renewal is due before the one before is done; more, and AES-GCM's
// limit may come first.
constexpr std::uint32_t fewest_rekey_records = 10'000;
constexpr std::uint32_t most_rekey_records = 1U << 23;

template <typename T, typename Parse>
auto store(T& into, Parse parse) {
  return [&into, parse](const std::string& text) { into = parse(text); };
}

template <typename T, typename Parse>
auto append(std::vector<T>& into, Parse parse) {
  return [&into, parse](const std::string& text) { into.push_back(parse(text)); };
}

auto number(std::uint32_t& into) {
  return store(into, [](const std::string& text) { return parse_number(text, 1, highest_u32); });
}

auto period(milliseconds& into) {
  return store(into, [](const std::string& text) {
    return milliseconds(parse_number(text, shortest_probe_ms, longest_silence_ms, " milliseconds"));
  });
}

auto up_delay(milliseconds& into) {
  return store(into, [](const std::string& text) {
    return milliseconds(parse_number(text, 0, longest_up_delay_ms, " milliseconds"));
  });
}

auto rekey_period(seconds& into) {
  return store(into, [](const std::string& text) {
    return seconds(parse_number(text, shortest_rekey_s, longest_rekey_s, " seconds"));
  });
}

unsigned parse_lanes(const std::string& text) {
  return parse_number(text, 1, most_lanes, "");
}

std::uint64_t parse_rekey_records(const std::string& text) {
  return parse_number(text, fewest_rekey_records, most_rekey_records, " records");
}

// Where the peer is.
void add_outside(OptionTable& table, LinkDraft& draft) {
  auto& o = draft.options;
  table.insert(
      table.end(),
      {
          {Kind::repeatable, "peer", no_letter, "HOST[:PORT]",
           "initiate to this address (port 7754); several are tried in turn",
           append(o.peers, parse_peer)},
          {Kind::single, "listen", no_letter, "[ADDR:]PORT",
           "local UDP address; without --peer, wait for the peer there",
           store(o.listen, parse_listen)},
          {Kind::repeatable, "allow", no_letter, "PREFIX",
           "only these sources may start a handshake", append(o.allow, parse_network)},
          {Kind::single, "public-netns", no_letter, "NAME",
           "namespace of the socket (where routevpn was started)",
           store(o.public_netns, parse_text)},
          {Kind::single, "fwmark", no_letter, "N", "mark of the outer packets", number(o.fwmark)},
          {Kind::single, "dscp", no_letter, "copy|N",
           "DSCP of the outer packets, 0 to 63, or the inner packet's (0)",
           store(o.dscp, parse_dscp)},
          {Kind::flag, "client", 'c', "", "same as --peer HOST:PORT --peer-name '*'",
           store(draft.client, parse_yes_no)},
          {Kind::flag, "server", 's', "", "same as --listen HOST:PORT --peer-name '*' --nat",
           store(draft.server, parse_yes_no)},
          {Kind::single, "host", 'h', "HOST", "address for --client or --server",
           store(draft.host, parse_host)},
          {Kind::single, "port", 'p', "PORT", "port for --client or --server (7754)",
           store(draft.port, parse_port)},
      });
}

// The interface and what surrounds it.
void add_inside(OptionTable& table, LinkDraft& draft) {
  auto& o = draft.options;
  table.insert(
      table.end(),
      {
          {Kind::single, "ifname", 'n', "NAME", "interface (rv%d: the first free number)",
           store(o.ifname, parse_ifname)},
          {Kind::repeatable, "address", 'a', "CIDR", "inside address",
           append(o.addresses, parse_interface_address)},
          {Kind::single, "netns", no_letter, "NAME",
           "namespace of the interface: ip-netns name, path or pid", store(o.netns, parse_text)},
          {Kind::single, "mtu", no_letter, "N|auto", "inside MTU (auto: probed)",
           store(o.mtu, parse_mtu)},
          {Kind::single, "lanes", no_letter, "N",
           "threads, each with a queue, a port and an association (1)",
           store(o.lanes, parse_lanes)},
          {Kind::repeatable, "route", no_letter, "PREFIX", "route through the link",
           append(o.routes, parse_network)},
          {Kind::single, "table", no_letter, "N", "routing table of --route (main)",
           number(o.table)},
          {Kind::flag, "nat", no_letter, "", "masquerade and forward what comes out of the link",
           store(o.nat, parse_yes_no)},
      });
}

void add_credentials(OptionTable& table, LinkDraft& draft) {
  auto& o = draft.options;
  table.insert(
      table.end(),
      {
          {Kind::single, "cert", 'C', "FILE", "our certificate, PEM (/etc/routevpn/cert.pem)",
           store(o.certificate, parse_text)},
          {Kind::single, "key", 'K', "FILE", "its private key, PEM (/etc/routevpn/key.pem)",
           store(o.key, parse_text)},
          {Kind::single, "ca", 'A', "FILE", "CA of the peer, PEM (/etc/routevpn/ca.pem)",
           store(o.ca, parse_text)},
          {Kind::single, "crl", no_letter, "FILE", "revoked certificates, PEM",
           store(o.crl, parse_text)},
          {Kind::single, "peer-name", no_letter, "NAME",
           "name in the peer's certificate; '*': any of the CA", store(o.peer_name, parse_text)},
          {Kind::single, "ciphers", no_letter, "LIST", "OpenSSL names of AEAD suites",
           store(o.ciphers, parse_text)},
          {Kind::single, "crypto", no_letter, "NAME", "auto, openssl or ipsec-mb (auto)",
           store(o.crypto, parse_crypto)},
          {Kind::single, "rekey", no_letter, "SECONDS", "renew the association (3600)",
           rekey_period(o.rekey)},
          {Kind::single, "rekey-records", no_letter, "N",
           "renew it after so many records (8388608)", store(o.rekey_records, parse_rekey_records)},
      });
}

void add_running(OptionTable& table, LinkDraft& draft) {
  auto& o = draft.options;
  table.insert(
      table.end(),
      {
          {Kind::single, "keepalive", no_letter, "MS", "probe when silent for this long (1000)",
           period(o.keepalive)},
          {Kind::single, "dead-after", no_letter, "MS", "down when silent for this long (3500)",
           period(o.dead_after)},
          {Kind::single, "up-delay", no_letter, "MS",
           "after a flap, stable so long before carrier returns (0)", up_delay(o.up_delay)},
          {Kind::single, "on-state", no_letter, "CMD", "run at each change of state",
           store(o.on_state, parse_text)},
          {Kind::single, "run-dir", no_letter, "DIR", "control socket LINK.sock (/run/routevpn)",
           store(o.run_dir, parse_text)},
          {Kind::single, "log-level", no_letter, "LEVEL", "error, warning, info or debug (info)",
           store(o.log_level, parse_log_level)},
          {Kind::single, "log-format", no_letter, "FORMAT", "text or json (text)",
           store(o.log_format, parse_log_format)},
          {Kind::single, "config", no_letter, "FILE", "read options from FILE, name = value",
           store(o.config_file, parse_text), true},
          {Kind::flag, "help", no_letter, "", "print this", store(draft.help, parse_yes_no), true},
          {Kind::flag, "version", no_letter, "", "print the version",
           store(draft.version, parse_yes_no), true},
      });
}

}  // namespace

OptionTable link_table(LinkDraft& draft) {
  OptionTable table;
  add_outside(table, draft);
  add_inside(table, draft);
  add_credentials(table, draft);
  add_running(table, draft);
  return table;
}

}  // namespace routevpn::cli
