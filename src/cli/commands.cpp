#include "routevpn/cli/commands.hpp"

#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/values.hpp"

namespace routevpn::cli {

namespace {

using Kind = Option::Kind;

Option help_option(bool& help) {
  return {Kind::flag, "help", '\0', "", "print this", [&help](const std::string&) { help = true; },
          true};
}

Option flag(std::string_view name, std::string_view help, bool& into) {
  return {Kind::flag, name, '\0', "", help, [&into](const std::string&) { into = true; }};
}

Option directory_option(std::string& into) {
  return {Kind::single,
          "dir",
          '\0',
          "DIR",
          "directory of the CA's files (.)",
          [&into](const std::string& text) { into = parse_text(text); }};
}

Option name_option(std::string& into, std::string_view help) {
  return {Kind::single, "name", '\0', "NAME", help, [&into](const std::string& text) {
            pki::require_name(text);
            into = text;
          }};
}

template <typename Days>
Option days_option(Days& into, std::string_view help) {
  return {Kind::single, "days", '\0', "N", help, [&into](const std::string& text) {
            into = static_cast<int>(parse_number(text, 1, pki::longest_days, " days"));
          }};
}

Option algorithm_option(pki::Algorithm& into) {
  return {Kind::single,
          "algorithm",
          '\0',
          "NAME",
          "p256, p384, ed25519 or rsa3072 (p256)",
          [&into](const std::string& text) { into = pki::parse_algorithm(text); }};
}

LinkState parse_awaited(const std::string& text) {
  if (text == "up") return LinkState::up;
  if (text == "down") return LinkState::down;
  throw UsageError("must be up or down");
}

// What every command's arguments come to: an order, or a wish for help.
template <typename Order>
struct Parsed {
  Order order;
  Scan scan;
  std::vector<std::string> faults;
  std::string help;  // the options, when --help was among them

  [[nodiscard]] bool has(std::string_view option) const { return scan.given.contains(option); }
};

template <typename Order, typename MakeTable>
Parsed<Order> parse_order(std::span<const std::string> arguments, MakeTable make_table) {
  Parsed<Order> parsed{};
  bool help = false;
  const auto table = make_table(parsed.order, help);
  parsed.scan = scan_arguments(table, arguments);
  parsed.faults = parsed.scan.faults;
  apply(table, parsed.scan.settings, parsed.faults);
  if (help) parsed.help = help_text(table);
  return parsed;
}

}  // namespace

OptionTable show_table(ShowLinks& show, bool& help) {
  return {
      flag("json", "print a JSON array", show.json),
      flag("watch", "draw anew each second, until interrupted", show.watch),
      {Kind::single, "wait", '\0', "up|down", "wait until every LINK is in this state",
       [&show](const std::string& text) { show.wait = parse_awaited(text); }},
      {Kind::single, "timeout", '\0', "SECONDS", "stop waiting, with exit status 1 (never)",
       [&show](const std::string& text) { show.timeout = parse_timeout(text); }},
      {Kind::single, "run-dir", '\0', "DIR", "where the links' sockets are (/run/routevpn)",
       [&show](const std::string& text) { show.run_dir = parse_text(text); }},
      help_option(help),
  };
}

OptionTable authority_table(pki::AuthorityOrder& order, bool& help) {
  return {
      {Kind::single, "name", '\0', "NAME", "the CA's common name (routevpn CA)",
       [&order](const std::string& text) {
         pki::require_common_name(text);
         order.common_name = text;
       }},
      directory_option(order.directory),
      days_option(order.days, "how long the CA is valid (3650)"),
      algorithm_option(order.algorithm),
      help_option(help),
  };
}

OptionTable request_table(pki::RequestOrder& order, bool& help) {
  return {name_option(order.name, "the gateway: writes NAME.key and NAME.csr"),
          directory_option(order.directory), algorithm_option(order.algorithm), help_option(help)};
}

OptionTable sign_table(pki::SignOrder& order, bool& help) {
  return {
      name_option(order.name, "the gateway: reads NAME.csr, writes NAME.cert"),
      directory_option(order.directory),
      days_option(order.days, "how long the certificate is valid (365, not longer than the CA)"),
      flag("force", "replace NAME.cert: renewal", order.replace),
      help_option(help),
  };
}

OptionTable revoke_table(pki::RevokeOrder& order, bool& help) {
  return {
      name_option(order.name, "revoke all valid certificates of this name"),
      {Kind::single, "serial", '\0', "HEX", "revoke this one certificate",
       [&order](const std::string& text) { order.serial = pki::parse_serial(text); }},
      directory_option(order.directory),
      days_option(order.days, "how long ca.crl is valid (30)"),
      help_option(help),
  };
}

OptionTable list_table(ListCertificates& list, bool& help) {
  return {directory_option(list.directory), flag("json", "print a JSON array", list.json),
          help_option(help)};
}

OptionTable plan_table(plan::PlanRequest& request, bool& help) {
  return {
      {Kind::single, "out", '\0', "DIR", "where the files are written",
       [&request](const std::string& text) { request.out = parse_text(text); }},
      {Kind::single, "pki", '\0', "DIR", "directory of the CA: makes what is missing, and copies",
       [&request](const std::string& text) { request.pki = parse_text(text); }},
      flag("check", "only print what would change; exit status 1 if anything would", request.check),
      flag("dot", "write topology.dot too, for Graphviz", request.dot),
      help_option(help),
  };
}

CommandLine parse_show(std::span<const std::string> arguments) {
  auto parsed = parse_order<ShowLinks>(arguments, show_table);
  auto& show = parsed.order;
  if (!parsed.help.empty()) {
    return {Help{"Usage: routevpn show [LINK...] [OPTION...]\n\n" + parsed.help}, {}, {}};
  }
  show.links = parsed.scan.operands;
  for (const auto& link : show.links) {
    if (link.empty() || link.find('/') != std::string::npos) {
      parsed.faults.push_back("link '" + link + "': must be a name without '/'");
    }
  }
  if (parsed.has("timeout") && !parsed.has("wait"))
    parsed.faults.emplace_back("--timeout: needs --wait up|down");
  if (show.watch && parsed.has("wait")) parsed.faults.emplace_back("--watch: excludes --wait");
  if (show.watch && show.json) parsed.faults.emplace_back("--watch: excludes --json");
  return {show, parsed.faults, {}};
}

CommandLine parse_plan(std::span<const std::string> arguments) {
  auto parsed = parse_order<plan::PlanRequest>(arguments, plan_table);
  if (!parsed.help.empty()) {
    return {Help{"Usage: routevpn plan TOPOLOGY.toml --out DIR [OPTION...]\n"
                 "Writes what every gateway needs: links, BIRD's files, units, certificates.\n\n" +
                 parsed.help},
            {},
            {}};
  }
  auto& operands = parsed.scan.operands;
  if (operands.empty() && parsed.faults.empty()) {
    parsed.faults.emplace_back("plan needs a topology file: routevpn plan TOPOLOGY.toml --out DIR");
  }
  if (!operands.empty()) {
    parsed.order.topology = operands.front();
    operands.erase(operands.begin());
  }
  for (auto& fault : unexpected(operands)) parsed.faults.push_back(std::move(fault));
  if (!parsed.has("out")) parsed.faults.emplace_back("--out DIR is required: where the files go");
  return {std::move(parsed.order), parsed.faults, {}};
}

namespace {

struct Verb {
  std::string_view name;
  std::string_view does;
  CommandLine (*parse)(std::span<const std::string> arguments, const Verb& verb);
};

template <typename Order, auto make_table>
CommandLine parse_verb(std::span<const std::string> arguments, const Verb& verb) {
  auto parsed = parse_order<Order>(arguments, make_table);
  if (!parsed.help.empty()) {
    const std::string head = "Usage: routevpn pki " + std::string(verb.name) + " [OPTION...]\n" +
                             std::string(verb.does) + "\n\n";
    return {Help{head + parsed.help}, {}, {}};
  }
  for (auto& fault : unexpected(parsed.scan.operands)) parsed.faults.push_back(std::move(fault));
  if constexpr (std::is_same_v<Order, pki::RequestOrder> || std::is_same_v<Order, pki::SignOrder>) {
    if (!parsed.has("name"))
      parsed.faults.emplace_back("--name NAME is required: the gateway's name");
  }
  if (parsed.has("name") && parsed.has("serial"))
    parsed.faults.emplace_back("--serial: excludes --name");
  return {PkiCommand{parsed.order}, parsed.faults, {}};
}

constexpr std::array<Verb, 5> verbs = {{
    {"ca", "Makes a CA: ca.key and ca.cert.", parse_verb<pki::AuthorityOrder, authority_table>},
    {"csr", "Makes a key and a request for its certificate.",
     parse_verb<pki::RequestOrder, request_table>},
    {"sign", "Makes the certificate that was requested.", parse_verb<pki::SignOrder, sign_table>},
    {"revoke", "Revokes certificates and writes ca.crl; without --name and --serial renews ca.crl.",
     parse_verb<pki::RevokeOrder, revoke_table>},
    {"list", "Prints the certificates that were issued.", parse_verb<ListCertificates, list_table>},
}};

std::string pki_help() {
  std::string text = "Usage: routevpn pki ca|csr|sign|revoke|list [OPTION...]\n\n";
  for (const auto& verb : verbs) {
    std::string name(verb.name);
    name.resize(8, ' ');
    text += "  " + name + std::string(verb.does) + "\n";
  }
  return text + "\nroutevpn pki COMMAND --help lists its options.\n";
}

}  // namespace

CommandLine parse_pki(std::span<const std::string> arguments) {
  constexpr auto known = "the commands are ca, csr, sign, revoke and list";
  if (arguments.empty()) return {PkiCommand{}, {std::string("pki needs a command; ") + known}, {}};
  if (arguments.front() == "--help") return {Help{pki_help()}, {}, {}};
  for (const auto& verb : verbs) {
    if (arguments.front() == verb.name) return verb.parse(arguments.subspan(1), verb);
  }
  return {PkiCommand{}, {"unknown command 'pki " + arguments.front() + "'; " + known}, {}};
}

}  // namespace routevpn::cli
