// The man page, the shell completion and the service unit know what the program knows.
#include <iterator>
#include <set>

#include "routevpn/base/drop.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/link_table.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

std::string source(const std::string& file) {
  std::ifstream in(std::string(ROUTEVPN_SOURCE_DIR) + "/src/" + file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct CommandTable {
  std::string command;  // as in the man page's subsection, "" for the link itself
  OptionTable table;
};

class Tables {
 public:
  Tables()
      : all_{{"", link_table(draft_)},
             {"show", show_table(show_, help_)},
             {"pki ca", authority_table(authority_, help_)},
             {"pki csr", request_table(request_, help_)},
             {"pki sign", sign_table(sign_, help_)},
             {"pki revoke", revoke_table(revoke_, help_)},
             {"pki list", list_table(list_, help_)},
             {"plan", plan_table(plan_, help_)}} {}
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;
  [[nodiscard]] const std::vector<CommandTable>& all() const { return all_; }

 private:
  LinkDraft draft_;
  ShowLinks show_;
  pki::AuthorityOrder authority_;
  pki::RequestOrder request_;
  pki::SignOrder sign_;
  pki::RevokeOrder revoke_;
  ListCertificates list_;
  plan::PlanRequest plan_;
  bool help_ = false;
  std::vector<CommandTable> all_;
};

// The part of the man page from this heading to the next of its kind or a greater one.
std::string part(const std::string& page, const std::string& macro, const std::string& heading) {
  const std::string line = "\n." + macro + " " + heading + "\n";
  const auto begin = page.find(line);
  INFO("man page: " << line);
  REQUIRE(begin != std::string::npos);
  const auto end = page.find(macro == "Sh" ? "\n.Sh" : "\n.S", begin + line.size());
  return page.substr(begin, end - begin);
}

// How mdoc spells "-n, --ifname".
std::string item(const Option& option) {
  std::string text = "\n.It ";
  if (option.letter != '\0') text += std::string("Fl ") + option.letter + " , ";
  std::string name;
  for (const char c : option.name) name += c == '-' ? std::string("\\-") : std::string(1, c);
  return text + "Fl \\-" + name;
}

// Whatever looks like a long option, up to a blank or quote.
std::set<std::string> option_words(const std::string& text) {
  std::set<std::string> words;
  for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
    words.insert(text.substr(at, text.find_first_of(" \n'", at) - at));
  }
  return words;
}

}  // namespace

TEST_CASE("every option stands in the man page, under its command") {
  const auto page = source("man/routevpn.8");
  const Tables tables;
  for (const auto& [command, table] : tables.all()) {
    const auto text =
        command.empty() ? part(page, "Sh", "OPTIONS") : part(page, "Ss", "routevpn " + command);
    for (const auto& option : table) {
      if (!command.empty() && option.name == "help") continue;
      CAPTURE(command, option.name);
      const auto at = text.find(item(option));
      REQUIRE(at != std::string::npos);
      const auto next = text[at + item(option).size()];
      CHECK((next == '\n' || next == ' '));
    }
  }
}

TEST_CASE("the man page has no option the program lacks") {
  const auto page = source("man/routevpn.8");
  const Tables tables;
  std::size_t found = 0;
  for (auto at = page.find("Fl \\-"); at != std::string::npos; at = page.find("Fl \\-", at + 1)) {
    const auto begin = at + std::string("Fl \\-").size();
    std::string name = page.substr(begin, page.find_first_of(" \n", begin) - begin);
    std::erase(name, '\\');
    CAPTURE(name);
    bool known = false;
    for (const auto& entry : tables.all()) known = known || find(entry.table, name) != nullptr;
    CHECK(known);
    ++found;
  }
  CHECK(found > 40);
}

TEST_CASE("every drop reason stands in the man page") {
  const auto text = part(source("man/routevpn.8"), "Sh", "DROP REASONS");
  for (std::size_t i = 0; i < drop_count; ++i) {
    const auto name = std::string(name_of(static_cast<Drop>(i)));
    CAPTURE(name);
    CHECK_THAT(text, ContainsSubstring("\n.It Li " + name + "\n"));
  }
}

TEST_CASE("the man page has the sections people look for") {
  const auto page = source("man/routevpn.8");
  const auto* heading = GENERATE("SYNOPSIS", "OPTIONS", "CONFIGURATION FILE", "TOPOLOGY FILE",
                                 "SIGNALS", "FILES", "EXIT STATUS", "EXAMPLES", "DROP REASONS");
  CHECK(part(page, "Sh", heading).size() > 100);
}

TEST_CASE("the shell completes every option of every command") {
  const auto script = source("completion/routevpn.bash");
  const Tables tables;
  for (const auto& [command, table] : tables.all()) {
    const auto begin = script.find("'" + command + "')");
    CAPTURE(command);
    REQUIRE(begin != std::string::npos);
    const auto words = option_words(script.substr(begin, script.find(";;", begin) - begin));
    for (const auto& option : table) {
      CAPTURE(option.name);
      CHECK(words.count("--" + std::string(option.name)) == 1);
    }
    CHECK(words.size() == table.size());
  }
}

TEST_CASE("the service unit runs what the man page says it runs") {
  const auto unit = source("systemd/routevpn@.service");
  CHECK_THAT(unit, ContainsSubstring("\nType=notify\n"));
  CHECK_THAT(unit,
             ContainsSubstring("\nExecStart=/usr/sbin/routevpn --config /etc/routevpn/%i.conf\n"));
  CHECK_THAT(unit, ContainsSubstring("\nRuntimeDirectoryPreserve=yes\n"));
}
