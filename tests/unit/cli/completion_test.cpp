#include "routevpn/cli/completion.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>

#include "routevpn/cli/verbs.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

// The words that a program prints; its exit status must be 0.
std::multiset<std::string> words_of(const std::string& command) {
  CAPTURE(command);
  FILE* const pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 4096> part{};
  while (const auto n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  CHECK(pclose(pipe) == 0);
  std::istringstream in(text);
  std::multiset<std::string> words;
  for (std::string word; in >> word;) words.insert(word);
  return words;
}

bool is_installed(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null").c_str()) == 0;
}

// What a shell offers for a command line that ends with the word to complete.
class Completion {
 public:
  explicit Completion(Shell shell)
      : shell_(shell), script_(scratch_.write("script", completion_script(shell))) {}

  [[nodiscard]] std::multiset<std::string> offers(const std::string& line) const {
    const std::string source = "source " + script_ + "; ";
    const std::string word = line.substr(line.rfind(' ') + 1);
    const std::string before = line.substr(0, line.size() - word.size());
    switch (shell_) {
      case Shell::bash:
        return words_of("bash -c '" + source + "COMP_LINE=\"" + line + "\"; COMP_WORDS=(" + before +
                        "\"" + word + "\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _routevpn; " +
                        "printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
      case Shell::zsh:
        // Stands for zsh's completion system, and prints without a match with the word.
        return words_of(
            "zsh -f -c 'compdef() { :; }; compadd() { shift; print -l -- $@; }; "
            "_files() { print files; }; _describe() { print -l -- ${described%%:*}; }; " +
            source + "words=(" + before + "\"" + word + "\"); CURRENT=${#words}; _routevpn'");
      case Shell::fish:
        break;
    }
    return words_of("fish -N -c '" + source + "complete -C \"" + line + "\" | cut -f1'");
  }

 private:
  ScratchDirectory scratch_;
  Shell shell_;
  std::string script_;
};

}  // namespace

TEST_CASE("each completion script is correct for its shell") {
  const ScratchDirectory scratch;
  for (const auto& name : shell_format().words) {
    if (!is_installed(name)) continue;
    const auto script = scratch.write(name, completion_script(shell_format().parse(name)));
    CHECK(words_of(name + " -n " + script + " 2>&1").empty());
  }
}

TEST_CASE("a completion script offers every option of every command") {
  const auto shell = GENERATE(Shell::bash, Shell::zsh, Shell::fish);
  if (!is_installed(shell_format().write(shell))) return;
  const Completion completion(shell);
  const auto check = [&](const std::string& line, const options::OptionTable& table) {
    CAPTURE(line);
    const auto offered = completion.offers(line);
    for (const auto& option : table) {
      CAPTURE(option.name);
      CHECK(offered.count("--" + std::string(option.name)) == 1);
    }
    CHECK(offered.size() >= table.size());
  };
  check("routevpn --", link_options());
  for (const auto& verb : verbs())
    check("routevpn " + std::string(verb.name) + " --", verb.options());
}

TEST_CASE("a completion script offers commands, words and names") {
  const auto shell = GENERATE(Shell::bash, Shell::zsh, Shell::fish);
  if (!is_installed(shell_format().write(shell))) return;
  const Completion completion(shell);
  using Words = std::multiset<std::string>;
  const auto first = completion.offers("routevpn ");
  for (const auto* word : {"show", "check", "pki", "plan", "completion"}) {
    CHECK(first.count(word) == 1);
  }
  CHECK(completion.offers("routevpn pki ").count("revoke") == 1);
  CHECK(completion.offers("routevpn --crypto ") == Words{"auto", "openssl", "ipsec-mb"});
  CHECK(completion.offers("routevpn pki csr --algorithm ") ==
        Words{"p256", "p384", "ed25519", "rsa3072"});
  CHECK(completion.offers("routevpn check --log-format ") == Words{"text", "json"});
  CHECK(completion.offers("routevpn --accept ") == Words{"routed"});
  CHECK(completion.offers("routevpn --rekey ").empty());
  const auto shells = completion.offers("routevpn completion ");
  CHECK((shells.contains("bash") && shells.contains("zsh") && shells.contains("fish")));
}

TEST_CASE("bash completes files and directories") {
  const ScratchDirectory scratch;
  static_cast<void>(scratch.write("a.cert", ""));
  std::filesystem::create_directory(scratch.path() + "/a.d");
  const Completion completion(Shell::bash);
  using Words = std::multiset<std::string>;
  const std::string a = scratch.path() + "/a";
  CHECK(completion.offers("routevpn -C " + a) == Words{a + ".cert", a + ".d"});
  CHECK(completion.offers("routevpn --run-dir " + a) == Words{a + ".d"});
  CHECK(completion.offers("routevpn plan " + a) == Words{a + ".cert", a + ".d"});
}

TEST_CASE("completion prints the script of a known shell") {
  const auto text = std::get<PrintText>(parse_words("completion fish").command).text;
  CHECK(text == completion_script(Shell::fish));
  CHECK(parse_words("completion").faults == Lines{"completion needs a shell: bash, zsh or fish"});
  CHECK(parse_words("completion tcsh").faults ==
        Lines{"completion tcsh: must be bash, zsh or fish"});
  CHECK(parse_words("completion bash zsh").faults == Lines{"unexpected argument 'zsh'"});
}
