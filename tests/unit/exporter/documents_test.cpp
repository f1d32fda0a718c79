// The man page agrees with the program.
#include <algorithm>
#include <fstream>
#include <iterator>

#include "routevpn/base/text.hpp"
#include "routevpn/exporter/command_line.hpp"
#include "routevpn/exporter/metrics.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::exporter;

namespace {

std::string source(const std::string& file) {
  std::ifstream in(std::string(ROUTEVPN_SOURCE_DIR) + "/src/" + file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string mdoc(std::string_view name) {
  std::string text;
  for (const char c : name) text += c == '-' ? std::string("\\-") : std::string(1, c);
  return text;
}

}  // namespace

TEST_CASE("every option and metric stands in the exporter's man page") {
  const auto page = source("man/routevpn-exporter.8");
  Options options;
  for (const auto& option : option_table(options)) {
    CAPTURE(option.name);
    CHECK_THAT(page, ContainsSubstring("\n.It Fl \\-" + mdoc(option.name)));
  }
  for (const auto& name : metric_names()) {
    CAPTURE(name);
    CHECK_THAT(page, ContainsSubstring("\n.It Li " + name));
  }
  for (auto refusal = Refusal::not_running; refusal <= Refusal::inaccessible;
       refusal = static_cast<Refusal>(static_cast<int>(refusal) + 1)) {
    CHECK_THAT(page, ContainsSubstring(std::string(name_of(refusal))));
  }
}

TEST_CASE("alert rules and dashboard use metrics that exist") {
  const auto names = metric_names();
  for (const std::string file :
       {"exporter/prometheus/alerts.yml", "exporter/grafana/dashboard.json"}) {
    const auto text = source(file);
    std::size_t found = 0;
    for (auto at = text.find("routevpn_"); at != std::string::npos;
         at = text.find("routevpn_", at + 1)) {
      const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at);
      CAPTURE(file, text.substr(at, end - at));
      CHECK(std::ranges::find(names, text.substr(at, end - at)) != names.end());
      ++found;
    }
    CHECK(found > 10);
  }
}

TEST_CASE("the socket unit and the program have the same address") {
  CHECK_THAT(source("systemd/routevpn-exporter.socket"),
             ContainsSubstring("\nListenStream=" + Options().listen.to_string() + "\n"));
}
