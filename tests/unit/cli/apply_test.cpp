#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"
#include "unit/apply/gateway.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

Outcome apply_with(apply::Gateway& gateway, bool dry_run = false) {
  auto request = gateway.request();
  request.dry_run = dry_run;
  return outcome_of([&](const Console& console) { return run(request, gateway.machine, console); });
}

}  // namespace

TEST_CASE("the words of apply") {
  const auto line = parse_words("apply plan/V1-1 --dry-run --force --timeout 2.5 --root /mnt");
  REQUIRE(line.faults.empty());
  const auto& request = std::get<apply::ApplyRequest>(line.command);
  CHECK(request.directory == "plan/V1-1");
  CHECK(request.dry_run);
  CHECK(request.force);
  CHECK(request.timeout == std::chrono::milliseconds{2500});
  CHECK(request.root == "/mnt");
  CHECK(parse_words("apply").faults ==
        Lines{"apply needs the planned directory of this gateway: DIR/GATEWAY"});
  CHECK(parse_words("apply a b").faults == Lines{"unexpected argument 'b'"});
  CHECK(parse_words("apply a --timeout -1").faults.size() == 1);
}

TEST_CASE("apply prints the steps, then each that is done") {
  apply::Gateway gateway({"rv2-1"});
  const auto dry = apply_with(gateway, true);
  CHECK(dry.status == 0);
  CHECK(dry.err.empty());
  CHECK(dry.out.starts_with("to do: install /etc/routevpn/pki/V1-1.cert\n"));
  const auto real = apply_with(gateway);
  CHECK(real.status == 0);
  CHECK(real.out.starts_with(dry.out + "done: install /etc/routevpn/pki/V1-1.cert\n"));
  CHECK(real.out.ends_with("\ndone: start routevpn@rv2-1.service\n"));
  CHECK(apply_with(gateway).out == "V1-1: nothing to do\n");
}

TEST_CASE("apply says where it stopped and what is not done") {
  apply::Gateway gateway({"rv2-1"});
  gateway.machine.failing = "start routevpn-netns@private.service";
  const auto outcome = apply_with(gateway);
  CHECK(outcome.status == 1);
  CHECK(outcome.err ==
        "routevpn: stopped at: start routevpn-netns@private.service: Job for it failed; See the "
        "journal\n"
        "routevpn: not done: start routevpn-bird@private.service\n"
        "routevpn: not done: start routevpn@rv2-1.service\n");
}

TEST_CASE("apply prints each fault, and a warning") {
  apply::Gateway gateway({"rv2-1"});
  gateway.machine.has_bird = false;
  gateway.machine.masked = {"routevpn@rv2-1.service"};
  const auto outcome = apply_with(gateway);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring("routevpn: warning: bird is not installed") &&
                              ContainsSubstring("\nroutevpn: routevpn@rv2-1.service: is masked"));
}
