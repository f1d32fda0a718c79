#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

constexpr auto topology = R"([organisation]
as = 65000
interconnect4 = "10.255.0.0/24"
[[site]]
name = "a"
gateway = [{ name = "V1", address = "192.0.2.1" }]
[[site]]
name = "b"
gateway = [{ name = "V2", address = "192.0.2.2" }]
)";

Outcome run_words(const std::string& words) {
  const auto line = parse_words("plan " + words);
  REQUIRE(line.faults.empty());
  return outcome_of([&](const Console& console) {
    return run(std::get<plan::PlanRequest>(line.command), console);
  });
}

}  // namespace

TEST_CASE("the words of plan") {
  const auto line = parse_words("plan a.toml --out o --pki p --check --dot");
  REQUIRE(line.faults.empty());
  const auto& request = std::get<plan::PlanRequest>(line.command);
  CHECK(request.topology == "a.toml");
  CHECK(request.out == "o");
  CHECK(request.pki == "p");
  CHECK(request.check);
  CHECK(request.dot);
  CHECK(parse_words("plan a.toml").faults == Lines{"--out DIR is required: where the files go"});
  CHECK(parse_words("plan --out o").faults ==
        Lines{"plan needs a topology file: routevpn plan TOPOLOGY.toml --out DIR"});
  CHECK(parse_words("plan a.toml b.toml --out o").faults == Lines{"unexpected argument 'b.toml'"});
  CHECK(std::holds_alternative<PrintText>(parse_words("plan --help").command));
}

TEST_CASE("plan prints what it did, --check what it would do") {
  const ScratchDirectory scratch;
  const auto words = scratch.write("t.toml", topology) + " --out " + scratch.path() + "/out";
  auto outcome = run_words(words + " --check");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.out, ContainsSubstring("would write " + scratch.path() + "/t.lock\n") &&
                              ContainsSubstring("\nwould create V1/links/rv2.conf\n"));
  outcome = run_words(words);
  CHECK(outcome.status == 0);
  CHECK(outcome.out == scratch.path() +
                           "/out: 2 sites, 2 gateways, 1 link; 16 files created, 0 changed, 0 "
                           "removed\n");
  outcome = run_words(words + " --check");
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  outcome = run_words(words + " --check --dot");
  CHECK(outcome.status == 1);
  CHECK(outcome.out == "would create topology.dot\n");
}

TEST_CASE("plan prints one line for each fault") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("t.toml", std::string(topology) + "x = 1\n[link]\n");
  const auto outcome = run_words(file + " --out " + scratch.path() + "/out");
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring("routevpn: " + file + ":10: unknown key 'x'") &&
                              ContainsSubstring("\nroutevpn: " + file + ":11: link: must be"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 2);
}

TEST_CASE("plan --check fails with status 2, because status 1 means a change") {
  const ScratchDirectory scratch;
  // The system refuses a name of more than 255 characters: ENAMETOOLONG, a SystemError.
  const auto words =
      scratch.write("t.toml", topology) + " --out " + scratch.path() + "/" + std::string(300, 'x');
  CHECK_THROWS_AS(run_words(words), SystemError);
  CHECK_THROWS_AS(run_words(words + " --check"), UsageError);
}
