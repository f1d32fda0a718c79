#include <algorithm>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

Outcome examine(const std::string& words) {
  const auto line = parse_words("doctor " + words);
  REQUIRE(line.faults.empty());
  return outcome_of(
      [&](const Console& console) { return run(std::get<ExamineGateway>(line.command), console); });
}

}  // namespace

TEST_CASE("doctor takes names of links, and says what it needs") {
  CHECK(parse_words("doctor a/b").faults == Lines{"link 'a/b': must be a name without '/'"});
  CHECK(parse_words("doctor --watch").faults.size() == 1);
  const ScratchDirectory scratch;
  if (geteuid() != 0) {
    CHECK_THROWS_WITH(examine("--config-dir " + scratch.path()), ContainsSubstring("root"));
    return;
  }
  CHECK_THROWS_AS(examine("--config-dir " + scratch.path() + "/none"), UsageError);
  CHECK_THROWS_WITH(examine("--config-dir " + scratch.path() + " rv9"),
                    "link 'rv9': there is no " + scratch.path() + "/rv9.conf");
}

TEST_CASE("doctor prints the findings of each link in the directory, and exits with status 1") {
  if (geteuid() != 0) return;
  const ScratchDirectory scratch;
  static_cast<void>(
      scratch.write("rv1.conf", "listen = 1\npeer-name = b\nrun-dir = " + scratch.path() + "\n"));
  static_cast<void>(scratch.write("rv2.conf", "listen = none\n"));
  static_cast<void>(scratch.write("other.txt", ""));
  const auto outcome = examine("--json --config-dir " + scratch.path());
  CHECK(outcome.status == 1);
  const auto findings = nlohmann::json::parse(outcome.out);
  const auto has = [&findings](const std::string& check, const std::string& where) {
    return std::any_of(findings.begin(), findings.end(), [&](const nlohmann::json& finding) {
      return finding["check"] == check && finding["where"] == where;
    });
  };
  CHECK(has("running", "rv1"));
  CHECK(has("running", "rv2"));
  CHECK(has("configuration", "rv2"));
  CHECK_FALSE(has("configuration", "rv1"));
  CHECK_FALSE(has("running", "other"));
  const auto one =
      examine("--config-dir " + scratch.path() + " --run-dir " + scratch.path() + " rv1");
  CHECK(one.status == 1);
  CHECK_THAT(one.out, ContainsSubstring("rv1: the link is not running"));
  CHECK_THAT(one.out, !ContainsSubstring("rv2: the link is not running"));
}

TEST_CASE("doctor of a directory without links has no fault of a link") {
  if (geteuid() != 0) return;
  const ScratchDirectory scratch;
  const auto outcome = examine("--config-dir " + scratch.path());
  CHECK_THAT(outcome.err, ContainsSubstring("there is no link in " + scratch.path()));
  CHECK_THAT(outcome.out, !ContainsSubstring("link is"));
}
