// The commands of routevpn: one list serves parsing, --help and the shell completions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "routevpn/cli/command_line.hpp"
#include "routevpn/options/option_table.hpp"

namespace routevpn::cli {

enum class Operand : std::uint8_t { none, link, file, shell };

struct Verb {
  std::string_view name;       // "show", "pki ca"
  std::string_view arguments;  // for the usage line
  std::string_view does;       // one sentence
  Operand operand;
  options::OptionTable (*options)();  // to look at: its variables are not used
  CommandLine (*parse)(const Verb& verb, std::span<const std::string> arguments);
};

std::span<const Verb> verbs();
// The command line of a link, which has no verb.
CommandLine parse_link(std::span<const std::string> arguments);
// The options of the program without a command: those of a link.
options::OptionTable link_options();
// The first words of the verbs' names behind `prefix`: show, check, ...; for "pki " ca, csr, ...
std::vector<std::string> verb_words(std::string_view prefix = "");
// One line per verb whose name begins with `prefix`.
std::string verb_lines(std::string_view prefix = "");

}  // namespace routevpn::cli
