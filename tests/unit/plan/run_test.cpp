#include "routevpn/plan/run.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "workspace.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

std::size_t count(const PlanReport& report, Change::Kind kind) {
  std::size_t number = 0;
  for (const auto& change : report.changes) number += change.kind == kind ? 1 : 0;
  return number;
}

}  // namespace

TEST_CASE("a second run changes nothing, and another directory gets the same bytes") {
  const Workspace workspace(mesh(10));
  const auto first = workspace.plan();
  CHECK(first.faults.empty());
  CHECK(first.links == 20 * 18 / 2);
  CHECK(first.lock_changes);
  const auto files = workspace.files();
  const auto lock = read_text(workspace.at("topology.lock"));
  const auto second = workspace.plan();
  CHECK(second.changes.empty());
  CHECK_FALSE(second.lock_changes);
  CHECK(workspace.files() == files);
  CHECK(read_text(workspace.at("topology.lock")) == lock);

  auto elsewhere = workspace.request();
  elsewhere.out = workspace.at("deep/er/out");
  plan::run(elsewhere);
  CHECK(workspace.files_without_psks("deep/er/out") == workspace.files_without_psks());
  const Workspace other(mesh(10));
  CHECK(other.plan().faults.empty());
  CHECK(other.files_without_psks() == workspace.files_without_psks());
  CHECK(read_text(other.at("topology.lock")) == lock);
}

TEST_CASE("a new gateway changes no existing link") {
  const Workspace workspace(mesh(4));
  CHECK(workspace.plan().faults.empty());
  const auto before = workspace.files();
  workspace.write(organisation() + site(1) + site(2, 3) + site(3) + site(4));
  const auto report = workspace.plan();
  CHECK(count(report, Change::Kind::remove) == 0);
  const auto after = workspace.files();
  for (const auto& [path, content] : before) {
    if (path.find("/links/") == std::string::npos) continue;
    CAPTURE(path);
    CHECK(after.at(path) == content);
  }
  CHECK(after.contains("V2-3/links/rv1-1.conf"));
}

TEST_CASE("--check reports the changes without making them") {
  const Workspace workspace(mesh(3));
  auto report = workspace.plan(true);
  CHECK(count(report, Change::Kind::create) == report.changes.size());
  CHECK(report.lock_changes);
  CHECK(workspace.files().empty());
  CHECK_FALSE(fs::exists(workspace.at("topology.lock")));
  const auto made = workspace.plan();
  CHECK(made.changes == report.changes);
  CHECK(workspace.plan(true).changes.empty());

  const auto files = workspace.files();
  workspace.write(organisation("name = \"new\"\nmesh = \"hub-and-spoke\"\nhubs = \"1\"\n") +
                  site(1) + site(2) + site(3));
  report = workspace.plan(true);
  CHECK(count(report, Change::Kind::create) == 0);
  CHECK(count(report, Change::Kind::remove) == 16);
  CHECK(count(report, Change::Kind::change) > 0);
  CHECK(workspace.files() == files);
  CHECK(workspace.plan().changes == report.changes);
  CHECK(workspace.plan(true).changes.empty());
}

TEST_CASE("a plan with faults writes nothing, and each fault has its line number") {
  const Workspace workspace(mesh(2) + "[[link]]\nbetween = [\"V1-1\", \"V9-1\"]\n[[links]]\n");
  const auto topology = workspace.at("topology.toml");
  CHECK(workspace.plan().faults ==
        std::vector<std::string>{
            topology + ":28: between: there is no gateway 'V9-1'",
            topology + ":29: unknown key 'links' in the topology; known: organisation, "
                       "defaults, site and link"});
  CHECK_FALSE(fs::exists(workspace.at("out")));
  CHECK_FALSE(fs::exists(workspace.at("topology.lock")));

  workspace.write(mesh(2));
  CHECK(workspace.plan().faults.empty());
  const auto files = workspace.files();
  workspace.write(mesh(3, 2, "ports = \"7000-7001\"\n"));
  CHECK(workspace.plan().faults ==
        std::vector<std::string>{topology + ":5: ports 7000-7001 are exhausted: 12 "
                                            "links need as many ports"});
  CHECK(workspace.files() == files);

  workspace.write(mesh(2));
  const auto lock = read_text(workspace.at("topology.lock"));
  std::ofstream(workspace.at("topology.lock")) << lock << "link 3 V1-1\n";
  CHECK_THAT(workspace.plan().faults.at(0),
             StartsWith(workspace.at("topology.lock") + ":17: must be 'id A.B.C.D NAME', "));
  CHECK(workspace.files() == files);
}

TEST_CASE("a topology file that cannot be read is a UsageError") {
  const Workspace workspace(mesh(2));
  auto request = workspace.request();
  request.topology = workspace.at("none.toml");
  CHECK_THROWS_AS(plan::run(request), UsageError);
  CHECK_FALSE(fs::exists(workspace.at("out")));
  CHECK(lock_path("a/topology.toml") == "a/topology.lock");
  CHECK(lock_path("a/.toml") == "a/.lock");
  CHECK(lock_path("lab") == "lab.lock");
}

TEST_CASE("files that the planner has not written are kept") {
  const Workspace workspace(mesh(3));
  CHECK(workspace.plan().faults.empty());
  std::ofstream(workspace.at("out/V3-1/notes")) << "mine";
  std::ofstream(workspace.at("out/V1-1/links/local.conf")) << "mine";
  workspace.write(mesh(2));
  CHECK(workspace.plan().faults.empty());
  CHECK(fs::exists(workspace.at("out/V3-1/notes")));
  CHECK_FALSE(fs::exists(workspace.at("out/V3-1/bird")));
  CHECK_FALSE(fs::exists(workspace.at("out/V3-2")));
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1/links/rv3-1.conf")));
  CHECK(fs::exists(workspace.at("out/V1-1/links/local.conf")));
}

TEST_CASE("a file that the planner has not written stops the plan before any change") {
  const Workspace workspace(mesh(2));
  fs::create_directories(workspace.at("out/V2-1/links"));
  std::string reason;
  SECTION("a file") {
    std::ofstream(workspace.at("out/V2-1/links/rv1-2.conf")) << "mine";
    reason = "out/V2-1/links/rv1-2.conf: exists and was not written by routevpn plan";
  }
  SECTION("a directory for a file") {
    fs::create_directories(workspace.at("out/V2-1/units"));
    reason = "out/V2-1/units: exists and is not a regular file";
  }
  SECTION("a file for a directory") {
    std::ofstream(workspace.at("out/V2-1/bird")) << "mine";
    reason = "out/V2-1/bird: exists and is not a directory";
  }
  SECTION("a symbolic link") {
    fs::create_symlink("/etc/passwd", workspace.at("out/V2-1/units"));
    reason = "out/V2-1/units: exists and is not a regular file";
  }
  const auto before = fs::exists(workspace.at("out/V2-1/bird")) ? "mine" : "";
  CHECK_THROWS_WITH(workspace.plan(), workspace.at("") + reason);
  CHECK_THROWS_AS(workspace.plan(true), UsageError);
  CHECK_FALSE(fs::exists(workspace.at("topology.lock")));
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1")));
  CHECK_FALSE(fs::exists(workspace.at("out/plan.manifest")));
  CHECK(std::string(before) == (fs::exists(workspace.at("out/V2-1/bird")) ? "mine" : ""));
}

TEST_CASE("a manifest with a path outside the directory is refused") {
  const auto* const path = GENERATE("/etc/passwd", "../x", "a/../../x", "./x", "..");
  const Workspace workspace(mesh(2));
  fs::create_directories(workspace.at("out"));
  std::ofstream(workspace.at("out/plan.manifest")) << "# head\nV1-1/units\n" << path << "\n";
  CHECK_THROWS_WITH(workspace.plan(),
                    workspace.at("out/plan.manifest") + ":3: must be a path inside the directory");
}

TEST_CASE("the next plan restores files that were edited by hand") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  const auto files = workspace.files();
  std::ofstream(workspace.at("out/V1-1/units")) << "other";
  fs::remove(workspace.at("out/V1-2/units"));
  const auto report = workspace.plan();
  CHECK(report.changes ==
        Changes{{Change::Kind::change, "V1-1/units"}, {Change::Kind::create, "V1-2/units"}});
  CHECK(workspace.files() == files);
}

TEST_CASE("an unwritable directory is reported before any change") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  SECTION("a file in the place of the directory") {
    std::ofstream(workspace.at("out")) << "mine";
    CHECK_THROWS_WITH(plan::run(request), workspace.at("out") + ": is not a directory");
  }
  SECTION("a directory below a file") {
    request.out = workspace.at("topology.toml/x");
    CHECK_THROWS_WITH(plan::run(request), workspace.at("topology.toml") + ": is not a directory");
  }
  SECTION("an invalid CA") {
    fs::create_directories(request.pki);
    std::ofstream(workspace.at("pki/ca.cert")) << "junk";
    std::ofstream(workspace.at("pki/ca.key")) << "junk";
    CHECK_THROWS_WITH(plan::run(request), StartsWith(workspace.at("pki/ca.cert") + ": "));
    CHECK_FALSE(fs::exists(workspace.at("pki/V1-1.key")));
    fs::remove_all(request.pki);
  }
  CHECK_FALSE(fs::exists(request.pki));
  CHECK_FALSE(fs::exists(workspace.at("topology.lock")));
}

TEST_CASE("--dot writes the diagram") {
  const Workspace workspace(mesh(2));
  auto request = workspace.request();
  request.dot = true;
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(read_text(workspace.at("out/topology.dot")), ContainsSubstring("graph \"routevpn\""));
  CHECK(workspace.plan().changes == Changes{{Change::Kind::remove, "topology.dot"}});
}
