// The man pages and the service unit agree with the program.
#include <algorithm>
#include <iterator>
#include <sstream>

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

TEST_CASE("no man page has an option that the program lacks") {
  const auto* const name_of_page =
      GENERATE("routevpn.8", "routevpn.7", "routevpn.conf.5", "routevpn-topology.5");
  const auto page = source(std::string("man/") + name_of_page);
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
  CAPTURE(name_of_page);
  CHECK(found > (std::string_view(name_of_page) == "routevpn.8" ? 40 : 1));
}

TEST_CASE("the man page of the configuration file has every key, its value and its number") {
  const auto page = source("man/routevpn.conf.5");
  std::size_t keys = 0;
  for (const auto& option : link_options()) {
    if (option.command_line_only) continue;
    CAPTURE(option.name);
    std::string row = ".It Ic ";
    for (const char c : option.name) row += c == '-' ? std::string("\\-") : std::string(1, c);
    row.append(" Ta ").append(option.placeholder.empty() ? "yes|no" : option.placeholder);
    row += option.value.kind == options::Value::Kind::repeatable ? " Ta repeated" : " Ta once";
    CHECK_THAT(part(page, "Ss", std::string(option.group)), ContainsSubstring("\n" + row + "\n"));
    ++keys;
  }
  std::size_t rows = 0;
  for (auto at = page.find(" Ta "); at != std::string::npos; at = page.find(" Ta ", at + 1)) ++rows;
  CHECK(rows == 2 * keys);
}

TEST_CASE("every drop reason stands in the man page") {
  const auto text = part(source("man/routevpn.7"), "Sh", "DROP REASONS");
  for (std::size_t i = 0; i < drop_count; ++i) {
    const auto name = std::string(name_of(static_cast<Drop>(i)));
    CAPTURE(name);
    CHECK_THAT(text, ContainsSubstring("\n.It Li " + name + "\n"));
  }
}

TEST_CASE("the man pages have the usual sections") {
  using Section = std::pair<const char*, const char*>;
  const auto [page, heading] =
      GENERATE(Section("routevpn.8", "SYNOPSIS"), Section("routevpn.8", "OPTIONS"),
               Section("routevpn.8", "SIGNALS"), Section("routevpn.8", "FILES"),
               Section("routevpn.8", "EXIT STATUS"), Section("routevpn.8", "EXAMPLES"),
               Section("routevpn.conf.5", "KEYS"), Section("routevpn-topology.5", "FILES"),
               Section("routevpn.7", "PROCESSES AND RIGHTS"), Section("routevpn.7", "REASONS"),
               Section("routevpn.7", "DROP REASONS"), Section("routevpn.7", "GLOSSARY"));
  CHECK(part(source(std::string("man/") + page), "Sh", heading).size() > 100);
}

// "X in\n.Xr PAGE N" names a section of another page.
TEST_CASE("each section that a man page names in another page is there") {
  const auto* const file = GENERATE("routevpn.8", "routevpn.7", "routevpn.conf.5",
                                    "routevpn-topology.5", "routevpn-exporter.8");
  const auto page = source(std::string("man/") + file);
  const std::string reference = " in\n.Xr ";
  for (auto at = page.find(reference); at != std::string::npos; at = page.find(reference, at + 1)) {
    const auto line = page.rfind('\n', at) + 1;
    const auto words = page.substr(line, at - line);
    const auto section = words.substr(words.find_last_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ- ") + 1);
    if (section.empty()) continue;
    std::istringstream target(page.substr(at + reference.size(), 40));
    std::string name;
    char number = 0;
    target >> name >> number;
    std::erase(name, '\\');
    const auto heading = section.starts_with(' ') ? section.substr(1) : section;
    CAPTURE(file, heading, name);
    CHECK(part(source("man/" + name + "." + number), "Sh", heading).size() > 100);
  }
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
