#include "routevpn/cli/completion.hpp"

#include "routevpn/cli/verbs.hpp"

namespace routevpn::cli {

namespace {

// The scripts hold one table with a line per word that may follow a verb:
//
//   VERB|WORD|LETTER|OFFER|HELP     pki ca|--algorithm||p256 p384 ed25519 rsa3072|type of the key
//
// OFFER tells what to offer behind WORD: @none, @file, @dir, @netns, words, or nothing when WORD is
// a flag. As WORD, @link and @file stand for links and files.
constexpr std::string_view bash_script =
    R"sh(# bash completion for routevpn(8), written by `routevpn completion bash`
_routevpn_table=TABLE
_routevpn_expand() {
  local socket directory=${COMP_LINE##*--run-dir }
  [[ $COMP_LINE == *--run-dir\ * ]] && directory=${directory%% *} || directory=/run/routevpn
  case $1 in
    @none) ;;
    @file) compopt -o filenames 2>/dev/null; compgen -f -- "$current" ;;
    @dir) compopt -o filenames 2>/dev/null; compgen -d -- "$current" ;;
    @netns) compgen -W "$(ip netns list 2>/dev/null | cut -d' ' -f1)" -- "$current" ;;
    @link)
      for socket in "$directory"/*.sock; do
        [[ -S $socket ]] && socket=${socket##*/} && compgen -W "${socket%.sock}" -- "$current"
      done
      ;;
    *) compgen -W "$1" -- "$current" ;;
  esac
}
_routevpn() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local at='' verb word letter offer plain=''
  ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]] && at=${COMP_WORDS[1]}
  ((COMP_CWORD > 2)) && [[ $_routevpn_table == *$'\n'"$at ${COMP_WORDS[2]}|"* ]] &&
    at+=" ${COMP_WORDS[2]}"
  COMPREPLY=()
  while IFS='|' read -r verb word letter offer _; do
    [[ $verb == "$at" ]] || continue
    if [[ -n $offer && ($previous == "$word" || $previous == "-$letter") ]]; then
      mapfile -t COMPREPLY < <(_routevpn_expand "$offer")
      return
    fi
    case $word in
      @*) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(_routevpn_expand "$word") ;;
      *) plain+=" $word" ;;
    esac
  done <<<"$_routevpn_table"
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(_routevpn_expand "$plain")
}
complete -F _routevpn routevpn
)sh";
constexpr std::string_view zsh_script = R"sh(#compdef routevpn
# zsh completion for routevpn(8), written by `routevpn completion zsh`
_routevpn_table=TABLE
_routevpn_expand() {
  case $1 in
    (@none) ;;
    (@file) _files ;;
    (@dir) _files -/ ;;
    (@netns) compadd -- ${(f)"$(ip netns list 2>/dev/null | cut -d' ' -f1)"} ;;
    (@link) compadd -- /run/routevpn/*.sock(N:t:r) ;;
    (*) compadd -- ${=1} ;;
  esac
}
_routevpn() {
  local line at='' previous=${words[CURRENT-1]}
  local -a fields described
  ((CURRENT > 2)) && [[ ${words[2]} != -* ]] && at=${words[2]}
  ((CURRENT > 3)) && [[ $_routevpn_table == *$'\n'"$at ${words[3]}|"* ]] && at+=" ${words[3]}"
  for line in ${(f)_routevpn_table}; do
    fields=("${(@s:|:)line}")
    [[ ${fields[1]} == $at ]] || continue
    if [[ -n ${fields[4]} && ($previous == ${fields[2]} || $previous == -${fields[3]}) ]]; then
      _routevpn_expand ${fields[4]}
      return
    fi
    case ${fields[2]} in
      (@*) _routevpn_expand ${fields[2]} ;;
      (*) described+=("${fields[2]}:${fields[5]}") ;;
    esac
  done
  _describe 'argument' described
}
# Loaded by its name at the first completion, or read by `source`.
if [[ ${funcstack[1]} == _routevpn ]]; then _routevpn "$@"; else compdef _routevpn routevpn; fi
)sh";
constexpr std::string_view fish_script =
    R"sh(# fish completion for routevpn(8), written by `routevpn completion fish`
set -g _routevpn_table TABLE
function _routevpn_expand
    switch $argv[1]
        case @none
        case @file
            __fish_complete_path (commandline -ct)
        case @dir
            __fish_complete_directories (commandline -ct)
        case @netns
            ip netns list 2>/dev/null | string split -f 1 ' '
        case @link
            for socket in /run/routevpn/*.sock
                string replace -rf '.*/(.*)\.sock$' '$1' -- $socket
            end
        case '-*'
            string match -q -- '-*' (commandline -ct); and printf '%s\t%s\n' $argv
        case '*'
            printf '%s\t%s\n' $argv
    end
end
function _routevpn
    set -l line (commandline -opc)
    set -l at ''
    set -q line[2]; and not string match -q -- '-*' $line[2]; and set at $line[2]
    if set -q line[3]; and string match -q -- "$at $line[3]|*" (string split \n -- $_routevpn_table)
        set at "$at $line[3]"
    end
    for row in (string split \n -- $_routevpn_table)
        set -l fields (string split '|' -- $row)
        test "$fields[1]" = "$at" -a (count $fields) = 5; or continue
        if test -n "$fields[4]"; and contains -- $line[-1] $fields[2] "-$fields[3]"
            for word in (string split ' ' -- $fields[4])
                _routevpn_expand $word ''
            end
            return
        end
    end
    for row in (string split \n -- $_routevpn_table)
        set -l fields (string split '|' -- $row)
        test "$fields[1]" = "$at" -a (count $fields) = 5; and _routevpn_expand $fields[2] $fields[5]
    end
end
complete -c routevpn -f -a '(_routevpn)'
)sh";

std::string offer(const options::Option& option) {
  std::string words;
  if (option.value.kind == options::Value::Kind::flag) return words;
  for (const auto& word : option.value.words) words += (words.empty() ? "" : " ") + word;
  if (!words.empty()) return words;
  if (option.placeholder == "FILE") return "@file";
  if (option.placeholder == "DIR") return "@dir";
  return option.placeholder == "NETNS" ? "@netns" : "@none";
}

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
