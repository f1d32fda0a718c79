#include "routevpn/cli/verbs.hpp"

#include <algorithm>
#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/completion.hpp"
#include "routevpn/options/link_table.hpp"
#include "routevpn/options/parse_link.hpp"

#include "pki_tables.hpp"
#include "verb_tables.hpp"

namespace routevpn::cli {

namespace {

using options::OptionTable, options::Reading;

struct ShellChoice {};  // `routevpn completion` has no option of its own

OptionTable completion_table(ShellChoice&) {
  return {};
}

std::vector<std::string> take_links(Reading& reading) {
  for (const auto& link : reading.operands) {
    if (link.empty() || link.find('/') != std::string::npos) {
      reading.faults.push_back("link '" + link + "': must be a name without '/'");
    }
  }
  return reading.operands;
}

Command complete(ReloadLinks& reload, Reading& reading) {
  reload.links = take_links(reading);
  return reload;
}

Command complete(ExamineGateway& request, Reading& reading) {
  request.links = take_links(reading);
  return request;
}

Command complete(ShowLinks& show, Reading& reading) {
  show.links = take_links(reading);
  if (reading.has("timeout") && !reading.has("wait"))
    reading.report_missing("--timeout: needs --wait up|down");
  if (show.watch && reading.has("wait")) reading.faults.emplace_back("--watch: excludes --wait");
  if (show.prometheus && (show.json || show.watch || reading.has("wait"))) {
    reading.faults.emplace_back("--prometheus: excludes --json, --watch and --wait");
  }
  if (show.history && (show.brief || show.json || show.watch || show.prometheus)) {
    reading.faults.emplace_back("--history: excludes --brief, --json, --prometheus and --watch");
  }
  if (show.brief && (show.json || show.prometheus)) {
    reading.faults.emplace_back("--brief: excludes --json and --prometheus");
  }
  return show;
}

Command complete(plan::PlanRequest& request, Reading& reading) {
  if (reading.operands.empty()) {
    reading.report_missing("plan needs a topology file: routevpn plan TOPOLOGY.toml --out DIR");
  } else {
    request.topology = reading.operands.front();
  }
  reading.refuse_operands(1);
  if (!reading.has("out")) reading.report_missing("--out DIR is required: where the files go");
  return request;
}

Command complete(apply::ApplyRequest& request, Reading& reading) {
  if (reading.operands.empty()) {
    reading.report_missing("apply needs the planned directory of this gateway: DIR/GATEWAY");
  } else {
    request.directory = reading.operands.front();
  }
  reading.refuse_operands(1);
  return request;
}

Command complete(ShellChoice&, Reading& reading) {
  const auto shell = shell_format();
  const auto shells = options::enumerated(shell.words, "or");
  reading.refuse_operands(1);
  if (reading.operands.empty()) reading.report_missing("completion needs a shell: " + shells);
  if (!reading.faults.empty()) return PrintText{};
  try {
    return PrintText{completion_script(shell.parse(reading.operands.front()))};
  } catch (const UsageError& error) {
    reading.faults.push_back("completion " + reading.operands.front() + ": " + error.what());
    return PrintText{};
  }
}

template <typename Order>
Command complete(Order& order, Reading& reading) {
  reading.refuse_operands();
  if constexpr (std::is_same_v<Order, pki::RequestOrder> || std::is_same_v<Order, pki::SignOrder>) {
    if (!reading.has("name")) reading.report_missing("--name NAME is required: the gateway's name");
  }
  if (reading.has("name") && reading.has("serial"))
    reading.faults.emplace_back("--serial: excludes --name");
  return PkiCommand{order};
}

template <typename Order, OptionTable (*make_table)(Order&)>
OptionTable with_help(Order& order) {
  auto table = make_table(order);
  table.push_back(options::command_line_flag("help", "print the options"));
  return table;
}

template <typename Order, OptionTable (*make_table)(Order&)>
OptionTable documented() {
  static Order order;
  return with_help<Order, make_table>(order);
}

template <typename Order, OptionTable (*make_table)(Order&)>
CommandLine parse(const Verb& verb, std::span<const std::string> arguments) {
  Order order;
  const auto table = with_help<Order, make_table>(order);
  auto reading = store(table, parse_arguments(table, arguments));
  if (reading.has("help")) {
    const auto usage = std::string(verb.name) + " " + std::string(verb.arguments);
    return {PrintText{"Usage: routevpn " + usage + "\n" + std::string(verb.does) + "\n\n" +
                      help_text(table)}};
  }
  auto command = complete(order, reading);
  return {std::move(command), std::move(reading.faults)};
}

std::string link_help() {
  return "Usage: routevpn --peer HOST[:PORT] ... | --listen [ADDR:]PORT ... | --config FILE\n"
         "       routevpn COMMAND ...\n"
         "       routevpn --help | --version\n"
         "\n"
         "With options and without a command, routevpn runs a link in the foreground.\n"
         "\n"
         "Commands:\n" +
         verb_lines() + help_text(link_options()) +
         "\nroutevpn COMMAND --help lists the options of a command; routevpn(8) explains all.\n";
}

CommandLine parse_run_or_check(std::span<const std::string> arguments, bool check) {
  using Request = options::ParsedLink::Request;
  auto parsed = options::parse_link(arguments);
  if (parsed.request == Request::help) return {PrintText{link_help()}};
  if (parsed.request == Request::version) return {PrintText{"routevpn " ROUTEVPN_VERSION "\n"}};
  CommandLine line{RunLink{parsed.options, {arguments.begin(), arguments.end()}},
                   std::move(parsed.faults), std::move(parsed.warnings)};
  if (check && parsed.file_was_read) line.command = CheckLink{std::move(parsed.options)};
  return line;
}

CommandLine parse_check(const Verb&, std::span<const std::string> arguments) {
  return parse_run_or_check(arguments, true);
}

template <typename Order, OptionTable (*make_table)(Order&)>
constexpr Verb verb(std::string_view name, std::string_view arguments, std::string_view does,
                    Operand operand = Operand::none) {
  return {name, arguments, does, operand, documented<Order, make_table>, parse<Order, make_table>};
}

constexpr std::array all_verbs = {
    verb<ShowLinks, show_table>("show", "[LINK...] [OPTION...]", "Prints the state of links.",
                                Operand::link),
    Verb{"check", "--config FILE", "Prints the settings of a link, or every fault.", Operand::none,
         link_options, parse_check},
    verb<ReloadLinks, reload_table>("reload", "[LINK...] [OPTION...]",
                                    "Makes links read their files again.", Operand::link),
    verb<ExamineGateway, doctor_table>("doctor", "[LINK...] [OPTION...]",
                                       "Prints what is wrong with this gateway and what mends it.",
                                       Operand::link),
    verb<pki::AuthorityOrder, authority_table>("pki ca", "[OPTION...]",
                                               "Makes a CA: ca.key and ca.cert."),
    verb<pki::RequestOrder, request_table>("pki csr", "--name NAME [OPTION...]",
                                           "Makes a key and a request for its certificate."),
    verb<pki::SignOrder, sign_table>("pki sign", "--name NAME [OPTION...]",
                                     "Makes the requested certificate."),
    verb<pki::RenewOrder, renew_table>("pki renew", "[OPTION...]",
                                       "Renews certificates and ca.crl that end soon."),
    verb<pki::RevocationListOrder, revocation_list_table>("pki crl", "[OPTION...]",
                                                          "Writes ca.crl: renews it."),
    verb<pki::RevokeOrder, revoke_table>(
        "pki revoke", "[OPTION...]",
        "Revokes certificates and writes ca.crl; without --name and --serial renews ca.crl."),
    verb<ListCertificates, list_table>("pki list", "[OPTION...]",
                                       "Prints the issued certificates."),
    verb<pki::PskOrder, psk_table>("pki psk", "[--out FILE]",
                                   "Prints a new pre-shared key for a link."),
    verb<plan::PlanRequest, plan_table>("plan", "TOPOLOGY.toml --out DIR [OPTION...]",
                                        "Writes the files of every gateway.", Operand::file),
    verb<apply::ApplyRequest, apply_table>("apply", "DIR [OPTION...]",
                                           "Makes this gateway agree with its planned files.",
                                           Operand::file),
    verb<ShellChoice, completion_table>("completion", "bash|zsh|fish",
                                        "Prints a completion script.", Operand::shell),
};

}  // namespace

std::span<const Verb> verbs() {
  return all_verbs;
}

CommandLine parse_link(std::span<const std::string> arguments) {
  if (arguments.size() == 1 && arguments.front() == "-h") return {PrintText{link_help()}};
  return parse_run_or_check(arguments, false);
}

OptionTable link_options() {
  static options::LinkDraft draft;
  return link_table(draft);
}

std::vector<std::string> verb_words(std::string_view prefix) {
  std::vector<std::string> words;
  for (const auto& verb : all_verbs) {
    if (!verb.name.starts_with(prefix)) continue;
    const auto rest = verb.name.substr(prefix.size());
    const std::string word(rest.substr(0, rest.find(' ')));
    if (words.empty() || words.back() != word) words.push_back(word);
  }
  return words;
}

std::string verb_lines(std::string_view prefix) {
  std::string lines;
  for (const auto& verb : all_verbs) {
    if (!verb.name.starts_with(prefix)) continue;
    std::string name(verb.name);
    name.resize(12, ' ');
    lines.append("  ").append(name).append(verb.does).append("\n");
  }
  return lines;
}

}  // namespace routevpn::cli
