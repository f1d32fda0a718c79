#include "routevpn/cli/command_line.hpp"

#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/verbs.hpp"

namespace routevpn::cli {

namespace {

CommandLine fault(std::string text) {
  return {RunLink{}, {std::move(text)}};
}

// `group`: empty, or the first word of verbs with two, and a blank: "pki ".
CommandLine parse_verb(const std::string& group, std::span<const std::string> arguments) {
  const auto words = verb_words(group);
  const auto known = "; the commands are " + options::enumerated(words, "and");
  if (arguments.empty()) return fault(group + "needs a command" + known);
  const auto& word = arguments.front();
  const auto rest = arguments.subspan(1);
  const auto name = group + word;
  const auto verb = std::ranges::find(verbs(), name, &Verb::name);
  if (verb != verbs().end()) return verb->parse(*verb, rest);
  if (!verb_words(name + " ").empty()) return parse_verb(name + " ", rest);
  if (word == "--help") {
    return {PrintText{"Usage: routevpn " + group + "COMMAND [OPTION...]\n\n" + verb_lines(group) +
                      "\nroutevpn " + group + "COMMAND --help lists the options of a command.\n"}};
  }
  return fault("unknown command '" + name + "'" + known + options::suggestion(word, words));
}

}  // namespace

CommandLine parse_command_line(std::span<const std::string> arguments) {
  const bool is_link = arguments.empty() || arguments.front().starts_with('-');
  return is_link ? parse_link(arguments) : parse_verb("", arguments);
}

}  // namespace routevpn::cli
