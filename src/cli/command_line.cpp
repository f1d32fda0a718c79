#include "routevpn/cli/command_line.hpp"

#include "routevpn/base/error.hpp"
#include "routevpn/cli/verbs.hpp"

namespace routevpn::cli {

namespace {

CommandLine fault(std::string text) {
  return {RunLink{}, {std::move(text)}};
}

const Verb* find_verb(const std::string& name) {
  for (const auto& verb : verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

// `routevpn pki ...`: the arguments begin with the verb's second word.
CommandLine parse_subcommand(const std::string& group, std::span<const std::string> arguments) {
  const auto prefix = group + " ";
  const auto words = verb_words(prefix);
  const auto known = "; the commands are " + options::enumerated(words, "and");
  if (arguments.empty()) return fault(group + " needs a command" + known);
  const auto& word = arguments.front();
  if (const auto* const verb = find_verb(prefix + word)) {
    return verb->parse(*verb, arguments.subspan(1));
  }
  if (word == "--help") {
    return {PrintText{"Usage: routevpn " + prefix + "COMMAND [OPTION...]\n\n" + verb_lines(prefix) +
                      "\nroutevpn " + prefix + "COMMAND --help lists the options of a command.\n"}};
  }
  return fault("unknown command '" + prefix + word + "'" + known +
               options::suggestion(word, words));
}

}  // namespace

CommandLine parse_command_line(std::span<const std::string> arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) return parse_link(arguments);
  const auto& word = arguments.front();
  const auto rest = arguments.subspan(1);
  if (const auto* const verb = find_verb(word)) return verb->parse(*verb, rest);
  if (!verb_words(word + " ").empty()) return parse_subcommand(word, rest);
  const auto words = verb_words();
  return fault("unknown command '" + word + "'; the commands are " +
               options::enumerated(words, "and") + options::suggestion(word, words));
}

}  // namespace routevpn::cli
