// The CA of a plan: it stays the same.
#include "../../../src/plan/issuer.hpp"

#include <filesystem>
#include <fstream>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/authority.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "workspace.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

Lock parse_lock_file(const Workspace& workspace) {
  Faults faults;
  auto lock = parse_lock(read_text(workspace.at("topology.lock")), faults);
  CHECK(faults.empty());
  return lock;
}

}  // namespace

TEST_CASE("a plan with certificates of another CA is refused, unless a new CA is asked for") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  const auto before = read_text(workspace.at("out/V1-1/pki/V1-1.cert"));
  const auto planned = workspace.at("out/V1-1/pki/V1-1.cert");
  std::string reason = ": was not issued by " + workspace.at("other/ca.cert");
  request.pki = workspace.at("other");
  SECTION("--pki has no CA") {
    reason += ", which does not exist; give the --pki";
  }
  SECTION("--pki has another CA") {
    auto other = request;
    other.topology = workspace.at("other.toml");
    other.out = workspace.at("other-out");
    fs::copy_file(request.topology, other.topology);
    CHECK(plan::run(other).faults.empty());
    reason += "; give the --pki";
  }
  const bool had_other = fs::exists(request.pki);
  for (const bool check : {true, false}) {
    request.check = check;
    CHECK_THROWS_WITH(plan::run(request), StartsWith(planned + reason));
    CHECK(fs::exists(request.pki) == had_other);
    CHECK(read_text(planned) == before);
  }
  std::ofstream(workspace.at("out/V2-1/pki/V2-1.cert")) << "damaged";
  CHECK_THROWS_WITH(plan::run(request), StartsWith(planned + reason));
  request.new_ca = true;
  CHECK(plan::run(request).faults.empty());
  CHECK(read_text(planned) == read_text(workspace.at("other/V1-1.cert")));
  request.new_ca = false;
  CHECK(plan::run(request).changes.empty());
}

TEST_CASE("during a CA rollover, planned certificates of both CAs are accepted") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  const Plan plan = plan_of(mesh(2, 1));
  pki::create_authority({workspace.at("."), "another CA"});
  const auto other = read_text(workspace.at("ca.cert"));
  const FormerPlan former{
      request.out, {}, workspace.at("topology.lock"), parse_lock_file(workspace).authority};
  CHECK_THROWS_AS(require_same_issuer(plan, former, workspace.at(".")), UsageError);
  std::ofstream(workspace.at("ca.cert")) << other << read_text(workspace.at("pki/ca.cert"));
  CHECK_NOTHROW(require_same_issuer(plan, former, workspace.at(".")));
}

// Each case is a loss after which the plan does not show its CA by its certificates.
TEST_CASE("a plan whose certificates were lost gets no new CA unnoticed") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).lock_changes);
  const auto lock = read_text(workspace.at("topology.lock"));
  CHECK_THAT(lock, ContainsSubstring("\nca " + parse_lock_file(workspace).authority + "\n"));
  CHECK_FALSE(plan::run(request).lock_changes);
  request.pki = workspace.at("other");
  std::string reason = workspace.at("topology.lock") + ": the CA of this plan is not in " +
                       workspace.at("other/ca.cert") + ", which does not exist; give the --pki";
  SECTION("the certificates are damaged") {
    for (const auto* const name : {"V1-1", "V2-1"}) {
      std::ofstream(workspace.at(std::string("out/") + name + "/pki/" + name + ".cert")) << "?";
    }
  }
  SECTION("the certificates are deleted") {
    for (const auto* const name : {"V1-1", "V2-1"}) {
      fs::remove_all(workspace.at(std::string("out/") + name + "/pki"));
    }
  }
  SECTION("the directory is renamed") {
    fs::rename(workspace.at("out"), workspace.at("out.old"));
  }
  SECTION("the certificates and the lock file are deleted") {
    for (const auto* const name : {"V1-1", "V2-1"}) {
      fs::remove_all(workspace.at(std::string("out/") + name + "/pki"));
    }
    fs::remove(workspace.at("topology.lock"));
    reason = workspace.at("out/plan.manifest") + ": lists V1-1/pki/ca.cert of a CA, but " +
             workspace.at("other/ca.cert") + " does not exist; give the --pki";
  }
  const auto files = workspace.files();
  for (const bool check : {true, false}) {
    request.check = check;
    CHECK_THROWS_WITH(plan::run(request), StartsWith(reason));
  }
  CHECK_FALSE(fs::exists(request.pki));
  CHECK(workspace.files() == files);
  request.new_ca = true;
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(read_text(workspace.at("topology.lock")),
             ContainsSubstring("\nca " + parse_lock_file(workspace).authority + "\n"));
  CHECK(read_text(workspace.at("topology.lock")) != lock);
}
