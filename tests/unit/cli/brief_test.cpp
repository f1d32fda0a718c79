#include "brief.hpp"

#include <algorithm>
#include <sstream>

#include "catch.hpp"
#include "history.hpp"

using namespace routevpn::cli;
using nlohmann::json;

namespace {

const auto noon = *routevpn::pki::parse_time("2026-01-10T12:00:00Z");

json link_named(const std::string& name, const std::string& state) {
  return {{"link", name},
          {"state", state},
          {"since", "2026-01-10T09:48:59Z"},
          {"peer", {{"name", "V3-1"}}},
          {"rtt_us", {{"smoothed", 1430}}},
          {"loss", 0.0},
          {"rx", {{"bytes", 48517U}}},
          {"tx", {{"bytes", 50452U}}}};
}

json failed_link(const std::string& name, const std::string& state) {
  return {{"link", name},
          {"state", state},
          {"since", "2026-01-10T11:59:48Z"},
          {"reason_text", "192.0.2.1:7754: no answer"},
          {"expected_peer", "V3-2"},
          {"peer", nullptr}};
}

}  // namespace

TEST_CASE("a table has one line per link, with the reason of one that is not up") {
  CHECK(
      render_brief({link_named("rv3-1", "up"), failed_link("rv3-2", "connecting")}, {}, noon, {}) ==
      "LINK   STATE            SINCE  PEER      RTT   LOSS   RECEIVED       SENT\n"
      "rv3-1  up          2 h 11 min  V3-1  1.43 ms  0.0 %  47.38 KiB  49.27 KiB\n"
      "rv3-2  connecting        12 s  V3-2        -      -        0 B        0 B  "
      "192.0.2.1:7754: no answer\n");
}

TEST_CASE("rates take the place of sums") {
  CHECK_THAT(
      render_brief(json::array({link_named("rv3-1", "up")}), {{"rv3-1", {2048, 1024}}}, noon, {}),
      ContainsSubstring("  2.00 KiB/s  1.00 KiB/s\n"));
}

TEST_CASE("a table fits the screen") {
  const json links = {failed_link("a", "down"), failed_link("b", "down"), failed_link("c", "down")};
  const auto text = render_brief(links, {}, noon, {false, 4, 30});
  CHECK_THAT(text, ContainsSubstring("\nand 2 more links\n"));
  CHECK(std::ranges::count(text, '\n') == 3);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 30);
}

TEST_CASE("control characters of a peer do not reach the terminal") {
  auto link = failed_link("a", "down");
  link["reason_text"] = "\x1b[2J";
  CHECK(render_brief(json::array({link}), {}, noon, {}).find('\x1b') == std::string::npos);
}

TEST_CASE("trouble comes first") {
  auto lossy = link_named("lossy", "up");
  lossy["loss"] = 0.1;
  auto ending = link_named("ending", "up");
  ending["credentials"] = {{"warnings", {"the CRL ends in 2 days"}}};
  const auto sorted =
      by_trouble({link_named("a", "up"), lossy, ending, failed_link("c", "connecting"),
                  failed_link("d", "down"), link_named("b", "up")});
  std::vector<std::string> names;
  for (const auto& link : sorted) names.push_back(link["link"]);
  CHECK(names == std::vector<std::string>{"d", "c", "ending", "lossy", "a", "b"});
}

TEST_CASE("a history has one line per change") {
  const json link = {{"link", "a"},
                     {"history",
                      {{{"at", "2026-01-10T11:00:00.000Z"}, {"state", "up"}, {"text", "connected"}},
                       {{"at", "2026-01-10T11:59:00.000Z"},
                        {"state", "connecting"},
                        {"text", "nothing \x1b heard"}}}}};
  CHECK(render_history(link) ==
        "link: a\n"
        "  2026-01-10T11:00:00.000Z  up          connected\n"
        "  2026-01-10T11:59:00.000Z  connecting  nothing \\x1b heard\n");
}
