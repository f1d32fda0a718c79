#include "routevpn/apply/steps.hpp"

#include "catch.hpp"

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
