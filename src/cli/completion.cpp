#include "routevpn/cli/completion.hpp"

#include "routevpn/cli/verbs.hpp"

#include "completion_scripts.hpp"

namespace routevpn::cli {

namespace {

std::string offer(const options::Option& option) {
  std::string words;
  if (option.value.kind == options::Value::Kind::flag) return words;
  for (const auto& word : option.value.words) words += (words.empty() ? "" : " ") + word;
  if (!words.empty()) return words;
  if (option.placeholder == "FILE") return "@file";
  if (option.placeholder == "DIR") return "@dir";
  return option.placeholder == "NETNS" ? "@netns" : "@none";
}

// The scripts hold one table with a line per word that may follow a verb:
//
//   VERB|WORD|LETTER|OFFER|HELP     pki ca|--algorithm||p256 p384 ed25519 rsa3072|type of the key
//
// OFFER tells what to offer behind WORD: @none, @file, @dir, @netns, words, or nothing when WORD is
// a flag. As WORD, @link and @file stand for links and files.
using Rows = std::string;

void add_row(Rows& rows, std::string_view verb, std::string_view word, std::string_view help = "") {
  rows.append(verb).append("|").append(word).append("|||").append(help).append("\n");
}

void add_options(Rows& rows, std::string_view verb, const options::OptionTable& table) {
  for (const auto& option : table) {
    rows.append(verb).append("|--").append(option.name).append("|");
    if (option.letter != options::no_letter) rows += option.letter;
    rows.append("|").append(offer(option)).append("|").append(option.help).append("\n");
  }
}

Rows all_rows() {
  Rows rows = "\n";
  add_options(rows, "", link_options());
  for (const auto& word : verb_words()) {
    if (verb_words(word + " ").empty()) continue;
    add_row(rows, "", word);
    add_row(rows, word, "--help", "list the commands");
  }
  for (const auto& verb : verbs()) {
    const auto blank = verb.name.find(' ');
    const bool is_single = blank == std::string_view::npos;
    add_row(rows, is_single ? "" : verb.name.substr(0, blank),
            is_single ? verb.name : verb.name.substr(blank + 1), verb.does);
    add_options(rows, verb.name, verb.options());
    if (verb.operand == Operand::link) add_row(rows, verb.name, "@link");
    if (verb.operand == Operand::file) add_row(rows, verb.name, "@file");
    if (verb.operand != Operand::shell) continue;
    for (const auto& shell : shell_format().words) add_row(rows, verb.name, shell);
  }
  return rows;
}

std::string quoted(std::string_view text, std::string_view quote) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += quote;
    if (c != '\'') result += c;
  }
  return result + "'";
}

}  // namespace

options::Format<Shell> shell_format() {
  return options::one_of<Shell>(
      {{Shell::bash, "bash"}, {Shell::zsh, "zsh"}, {Shell::fish, "fish"}});
}

std::string completion_script(Shell shell) {
  const bool is_fish = shell == Shell::fish;
  std::string script(is_fish ? fish_script : shell == Shell::zsh ? zsh_script : bash_script);
  constexpr std::string_view mark = "TABLE";
  return script.replace(script.find(mark), mark.size(),
                        quoted(all_rows(), is_fish ? "\\'" : "'\\''"));
}

}  // namespace routevpn::cli
