#include "routevpn/cli/command_line.hpp"

#include <array>
#include <string_view>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/config_file.hpp"
#include "routevpn/cli/link_table.hpp"

namespace routevpn::cli {

namespace {

constexpr std::array<std::string_view, 4> verb_names = {"show", "check", "pki", "plan"};

constexpr auto usage =
    "Usage: routevpn --peer HOST[:PORT] ... | --listen [ADDR:]PORT ... | --config FILE\n"
    "       routevpn show [LINK...] [--json] [--watch] [--wait up|down --timeout SECONDS]\n"
    "       routevpn check --config FILE\n"
    "       routevpn pki ca|csr|sign|revoke|list\n"
    "       routevpn plan TOPOLOGY.toml --out DIR\n"
    "\n"
    "With options and no command, routevpn runs a link in the foreground:\n";
constexpr auto usage_tail =
    "\nroutevpn(8) explains them, and routevpn COMMAND --help the others.\n";

std::string stem(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto file = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto dot = file.rfind('.');
  return dot == std::string::npos || dot == 0 ? file : file.substr(0, dot);
}

struct ParsedLink {
  LinkDraft draft;
  std::vector<std::string> faults;
  std::vector<std::string> warnings;
  bool is_whole = true;  // false: its file could not be read
};

ParsedLink parse_link(std::span<const std::string> arguments) {
  ParsedLink parsed;
  auto& draft = parsed.draft;
  const auto table = link_table(draft);
  auto scan = scan_arguments(table, arguments);
  for (const auto& setting : scan.settings) {
    if (setting.name != "config") continue;
    draft.options.link = stem(setting.value);
    try {
      scan = overlay(read_config(table, setting.value), scan);
    } catch (const UsageError& error) {
      // What it would have said is unknown: nothing else can be called missing.
      parsed.faults = {error.what()};
      parsed.is_whole = false;
      return parsed;
    }
    break;
  }
  parsed.faults = scan.faults;
  // Behind an unknown option its value looks like an argument.
  if (parsed.faults.empty()) parsed.faults = unexpected(scan.operands);
  apply(table, scan.settings, parsed.faults);
  const auto ruling = settle(draft, scan.given);
  parsed.faults.insert(parsed.faults.end(), ruling.faults.begin(), ruling.faults.end());
  parsed.warnings = ruling.warnings;
  return parsed;
}

std::string link_help() {
  LinkDraft draft;
  return usage + help_text(link_table(draft)) + usage_tail;
}

CommandLine run_or_check(std::span<const std::string> arguments, bool check) {
  auto parsed = parse_link(arguments);
  if (parsed.draft.help) return {Help{link_help()}, {}, {}};
  if (parsed.draft.version) return {Version{}, {}, {}};
  CommandLine line{RunLink{parsed.draft.options}, parsed.faults, parsed.warnings};
  if (check && parsed.is_whole) line.command = CheckLink{parsed.draft.options};
  return line;
}

}  // namespace

std::vector<std::string> unexpected(std::span<const std::string> operands) {
  std::vector<std::string> faults;
  for (const auto& operand : operands) faults.push_back("unexpected argument '" + operand + "'");
  return faults;
}

CommandLine parse_command_line(std::span<const std::string> arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) {
    return run_or_check(arguments, false);
  }
  const auto& verb = arguments.front();
  const auto rest = arguments.subspan(1);
  if (verb == "show") return parse_show(rest);
  if (verb == "pki") return parse_pki(rest);
  if (verb == "plan") return parse_plan(rest);
  if (verb == "check") return run_or_check(rest, true);
  return {RunLink{},
          {"unknown command '" + verb + "'; the commands are show, check, pki and plan" +
           suggestion(verb, verb_names, "")},
          {}};
}

}  // namespace routevpn::cli
