// The man page and the service unit agree with the program.
#include <algorithm>
#include <iterator>

#include "routevpn/base/drop.hpp"
#include "routevpn/cli/verbs.hpp"

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
  options::OptionTable table;
};

std::vector<CommandTable> tables() {
  std::vector<CommandTable> all = {{"", link_options()}};
  for (const auto& verb : verbs()) {
    // The options of check are those of a link.
    if (verb.name != "check") all.push_back({std::string(verb.name), verb.options()});
  }
  return all;
}

// The part of the man page from this heading to the next of its kind or a greater one.
std::string part(const std::string& page, const std::string& macro, const std::string& heading) {
  const std::string line = "\n." + macro + " " + heading + "\n";
  const auto begin = page.find(line);
  INFO("man page: " << line);
  REQUIRE(begin != std::string::npos);
  const auto next = begin + line.size();
  const auto end = std::min(page.find("\n.Sh ", next),
                            macro == "Sh" ? std::string::npos : page.find("\n.Ss ", next));
  return page.substr(begin, end - begin);
}

// How mdoc spells "-n, --ifname".
std::string item(const options::Option& option) {
  std::string text = "\n.It ";
  if (option.letter != '\0') text += std::string("Fl ") + option.letter + " , ";
  std::string name;
  for (const char c : option.name) name += c == '-' ? std::string("\\-") : std::string(1, c);
  return text + "Fl \\-" + name;
}

}  // namespace

TEST_CASE("every option stands in the man page, under its command") {
  const auto page = source("man/routevpn.8");
  for (const auto& [command, table] : tables()) {
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
  const auto all = tables();
  std::size_t found = 0;
  for (auto at = page.find("Fl \\-"); at != std::string::npos; at = page.find("Fl \\-", at + 1)) {
    const auto begin = at + std::string("Fl \\-").size();
    std::string name = page.substr(begin, page.find_first_of(" \n", begin) - begin);
    std::erase(name, '\\');
    CAPTURE(name);
    bool known = false;
    for (const auto& entry : all) known = known || find(entry.table, name) != nullptr;
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

TEST_CASE("the man page has the usual sections") {
  const auto page = source("man/routevpn.8");
  const auto* heading =
      GENERATE("SYNOPSIS", "OPTIONS", "CONFIGURATION FILE", "TOPOLOGY FILE", "PROCESSES AND RIGHTS",
               "SIGNALS", "FILES", "EXIT STATUS", "EXAMPLES", "DROP REASONS");
  CHECK(part(page, "Sh", heading).size() > 100);
}

TEST_CASE("the service unit runs the command of the man page") {
  const auto unit = source("systemd/routevpn@.service");
  CHECK_THAT(unit, ContainsSubstring("\nType=notify\n"));
  CHECK_THAT(unit,
             ContainsSubstring("\nExecStart=!/usr/bin/routevpn --config /etc/routevpn/%i.conf\n"));
  CHECK_THAT(unit, ContainsSubstring("\nWatchdogSec=30\n"));
  // systemd would give it to the user of the worker, with the sockets of all links.
  CHECK_THAT(unit, !ContainsSubstring("\nRuntimeDirectory="));
}
