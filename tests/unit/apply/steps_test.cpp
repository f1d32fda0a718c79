#include "routevpn/apply/steps.hpp"

#include "catch.hpp"
#include "issue_time.hpp"
#include "test_pki.hpp"

using namespace routevpn::apply;

TEST_CASE("during a run the manifest has the old and the new content of a file") {
  const std::string path = "/etc/routevpn/bird/public.conf";
  GatewayPlan plan;
  plan.gateway = "V1-1";
  plan.files = {{"V1-1/bird/public.conf", path, "new\n", 0644}};
  Installed installed;
  installed.target_enabled = true;
  installed.manifest.gateway = "V1-1";
  installed.manifest.files[path] = {hash_of("old\n")};
  installed.files[path] = {hash_of("old\n")};
  const auto decision = decide(plan, installed, false);
  CHECK(decision.steps == std::vector<Step>{{Action::install, {path}}});
  CHECK(decision.before.files.at(path) == std::set{hash_of("old\n"), hash_of("new\n")});
  CHECK(decision.after.files.at(path) == std::set{hash_of("new\n")});

  // The run ended before the file was moved: the old content is no foreign file.
  installed.manifest = decision.before;
  const auto next = decide(plan, installed, false);
  CHECK(next.refusals.empty());
  CHECK(next.steps == decision.steps);
}

TEST_CASE(
    "of a certificate that was renewed on the machine and in the plan, the later one is taken") {
  const std::string path = "/etc/routevpn/pki/V1-1.cert";
  routevpn::test::TestCa ca;
  const auto certificate = [&](int begins_in_days) {
    return ca.issue({.name = "V1-1", .begins_in_days = begins_in_days}).certificate;
  };
  const auto first = certificate(-30);
  const auto on_machine = certificate(-10);
  Installed installed;
  installed.target_enabled = true;
  installed.manifest.gateway = "V1-1";
  installed.manifest.files[path] = {hash_of(first)};
  installed.files[path] = {hash_of(on_machine), true, issue_time(path, on_machine)};
  GatewayPlan plan;
  plan.gateway = "V1-1";

  plan.files = {{"V1-1/pki/V1-1.cert", path, certificate(-5), 0644}};
  const auto later = decide(plan, installed, false);
  CHECK(later.refusals.empty());
  CHECK(later.steps == std::vector<Step>{{Action::install, {path}}});

  plan.files = {{"V1-1/pki/V1-1.cert", path, certificate(-20), 0644}};
  const auto earlier = decide(plan, installed, false);
  CHECK(earlier.refusals.empty());
  CHECK(earlier.steps.empty());
  CHECK(earlier.kept == std::set{path});
  CHECK(earlier.notes ==
        std::vector{path + ": stays; it was changed on this machine, and the plan has no newer one "
                           "(--force replaces it)"});

  // What was not applied before is foreign.
  installed.manifest.files.clear();
  CHECK(decide(plan, installed, false).refusals.size() == 1);
}
