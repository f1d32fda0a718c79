#include "routevpn/plan/run.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "desk.hpp"
#include "topologies.hpp"

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

TEST_CASE("two runs give the same bytes, and the second has nothing to do") {
  const Desk desk(mesh(10));
  const auto first = desk.plan();
  CHECK(first.faults.empty());
  CHECK(first.links == 20 * 18 / 2);
  CHECK(first.lock_changes);
  const auto files = desk.files();
  const auto lock = read_text(desk.at("topology.lock"));
  const auto second = desk.plan();
  CHECK(second.changes.empty());
  CHECK_FALSE(second.lock_changes);
  CHECK(desk.files() == files);
  CHECK(read_text(desk.at("topology.lock")) == lock);

  auto elsewhere = desk.request();
  elsewhere.out = desk.at("deep/er/out");
  plan::run(elsewhere);
  CHECK(desk.files_in("deep/er/out") == files);
  const Desk other(mesh(10));
  CHECK(other.plan().faults.empty());
  CHECK(other.files() == files);
  CHECK(read_text(other.at("topology.lock")) == lock);
}

TEST_CASE("a new gateway changes no link that was there") {
  const Desk desk(mesh(4));
  CHECK(desk.plan().faults.empty());
  const auto before = desk.files();
  desk.write(organisation() + site(1) + site(2, 3) + site(3) + site(4));
  const auto report = desk.plan();
  CHECK(count(report, Change::Kind::remove) == 0);
  const auto after = desk.files();
  for (const auto& [path, content] : before) {
    if (path.find("/links/") == std::string::npos) continue;
    CAPTURE(path);
    CHECK(after.at(path) == content);
  }
  CHECK(after.contains("V2-3/links/rv1-1.conf"));
}

TEST_CASE("--check says what would be done, and does none of it") {
  const Desk desk(mesh(3));
  auto report = desk.plan(true);
  CHECK(count(report, Change::Kind::create) == report.changes.size());
  CHECK(report.lock_changes);
  CHECK(desk.files().empty());
  CHECK_FALSE(fs::exists(desk.at("topology.lock")));
  const auto made = desk.plan();
  CHECK(made.changes == report.changes);
  CHECK(desk.plan(true).changes.empty());

  const auto files = desk.files();
  desk.write(organisation("name = \"new\"\nmesh = \"hub-and-spoke\"\nhubs = \"1\"\n") + site(1) +
             site(2) + site(3));
  report = desk.plan(true);
  CHECK(count(report, Change::Kind::create) == 0);
  CHECK(count(report, Change::Kind::remove) == 8);
  CHECK(count(report, Change::Kind::change) > 0);
  CHECK(desk.files() == files);
  CHECK(desk.plan().changes == report.changes);
  CHECK(desk.plan(true).changes.empty());
}

TEST_CASE("with any fault nothing is written, and every fault has its line") {
  const Desk desk(mesh(2) + "[[link]]\nbetween = [\"V1-1\", \"V9-1\"]\n[[links]]\n");
  const auto topology = desk.at("topology.toml");
  CHECK(desk.plan().faults ==
        std::vector<std::string>{
            topology + ":28: between: there is no gateway 'V9-1'",
            topology + ":29: unknown key 'links' in the topology, which knows organisation, "
                       "defaults, site and link"});
  CHECK_FALSE(fs::exists(desk.at("out")));
  CHECK_FALSE(fs::exists(desk.at("topology.lock")));

  desk.write(mesh(2));
  CHECK(desk.plan().faults.empty());
  const auto files = desk.files();
  desk.write(mesh(3, 2, "ports = \"7000-7001\"\n"));
  CHECK(desk.plan().faults ==
        std::vector<std::string>{topology + ":5: ports 7000-7001 are exhausted: 12 "
                                            "links need as many ports"});
  CHECK(desk.files() == files);

  desk.write(mesh(2));
  const auto lock = read_text(desk.at("topology.lock"));
  std::ofstream(desk.at("topology.lock")) << lock << "link 3 V1-1\n";
  CHECK_THAT(desk.plan().faults.at(0),
             StartsWith(desk.at("topology.lock") + ":17: must be 'id A.B.C.D NAME', "));
  CHECK(desk.files() == files);
}

TEST_CASE("a topology that cannot be read is the user's fault") {
  const Desk desk(mesh(2));
  auto request = desk.request();
  request.topology = desk.at("none.toml");
  CHECK_THROWS_AS(plan::run(request), UsageError);
  CHECK_FALSE(fs::exists(desk.at("out")));
  CHECK(lock_path("a/topology.toml") == "a/topology.lock");
  CHECK(lock_path("a/.toml") == "a/.lock");
  CHECK(lock_path("lab") == "lab.lock");
}

TEST_CASE("what others put into the directory is theirs") {
  const Desk desk(mesh(3));
  CHECK(desk.plan().faults.empty());
  std::ofstream(desk.at("out/V3-1/notes")) << "mine";
  std::ofstream(desk.at("out/V1-1/links/local.conf")) << "mine";
  desk.write(mesh(2));
  CHECK(desk.plan().faults.empty());
  CHECK(fs::exists(desk.at("out/V3-1/notes")));
  CHECK_FALSE(fs::exists(desk.at("out/V3-1/bird")));
  CHECK_FALSE(fs::exists(desk.at("out/V3-2")));
  CHECK_FALSE(fs::exists(desk.at("out/V1-1/links/rv3-1.conf")));
  CHECK(fs::exists(desk.at("out/V1-1/links/local.conf")));
}

TEST_CASE("what is in the way is not overwritten, and nothing else is written then") {
  const Desk desk(mesh(2));
  fs::create_directories(desk.at("out/V2-1/links"));
  std::string reason;
  SECTION("a file") {
    std::ofstream(desk.at("out/V2-1/links/rv1-2.conf")) << "mine";
    reason = "out/V2-1/links/rv1-2.conf: is in the way: not written by routevpn plan";
  }
  SECTION("a directory for a file") {
    fs::create_directories(desk.at("out/V2-1/units"));
    reason = "out/V2-1/units: is in the way: not a regular file";
  }
  SECTION("a file for a directory") {
    std::ofstream(desk.at("out/V2-1/bird")) << "mine";
    reason = "out/V2-1/bird: is in the way: not a directory";
  }
  SECTION("a link to somewhere else") {
    fs::create_symlink("/etc/passwd", desk.at("out/V2-1/units"));
    reason = "out/V2-1/units: is in the way: not a regular file";
  }
  const auto before = fs::exists(desk.at("out/V2-1/bird")) ? "mine" : "";
  CHECK_THROWS_WITH(desk.plan(), desk.at("") + reason);
  CHECK_THROWS_AS(desk.plan(true), UsageError);
  CHECK_FALSE(fs::exists(desk.at("topology.lock")));
  CHECK_FALSE(fs::exists(desk.at("out/V1-1")));
  CHECK_FALSE(fs::exists(desk.at("out/plan.manifest")));
  CHECK(std::string(before) == (fs::exists(desk.at("out/V2-1/bird")) ? "mine" : ""));
}

TEST_CASE("a manifest that names what is not below the directory is refused") {
  const auto* const path = GENERATE("/etc/passwd", "../x", "a/../../x", "./x", "..");
  const Desk desk(mesh(2));
  fs::create_directories(desk.at("out"));
  std::ofstream(desk.at("out/plan.manifest")) << "# head\nV1-1/units\n" << path << "\n";
  CHECK_THROWS_WITH(desk.plan(),
                    desk.at("out/plan.manifest") + ":3: must be a path below the directory");
}

TEST_CASE("what is changed by hand is put right again") {
  const Desk desk(mesh(2));
  CHECK(desk.plan().faults.empty());
  const auto files = desk.files();
  std::ofstream(desk.at("out/V1-1/units")) << "other";
  fs::remove(desk.at("out/V1-2/units"));
  const auto report = desk.plan();
  CHECK(report.changes ==
        Changes{{Change::Kind::change, "V1-1/units"}, {Change::Kind::create, "V1-2/units"}});
  CHECK(desk.files() == files);
}

TEST_CASE("what cannot be written is known before anything is made") {
  const Desk desk(mesh(2, 1));
  auto request = desk.request();
  request.pki = desk.at("pki");
  SECTION("a file in the place of the directory") {
    std::ofstream(desk.at("out")) << "mine";
    CHECK_THROWS_WITH(plan::run(request), desk.at("out") + ": is not a directory");
  }
  SECTION("a directory below a file") {
    request.out = desk.at("topology.toml/x");
    CHECK_THROWS_WITH(plan::run(request), desk.at("topology.toml") + ": is not a directory");
  }
  SECTION("a CA that is none") {
    fs::create_directories(request.pki);
    std::ofstream(desk.at("pki/ca.cert")) << "junk";
    std::ofstream(desk.at("pki/ca.key")) << "junk";
    CHECK_THROWS_WITH(plan::run(request), StartsWith(desk.at("pki/ca.cert") + ": "));
    CHECK_FALSE(fs::exists(desk.at("pki/V1-1.key")));
    fs::remove_all(request.pki);
  }
  CHECK_FALSE(fs::exists(request.pki));
  CHECK_FALSE(fs::exists(desk.at("topology.lock")));
}

TEST_CASE("the diagram is there when it is wanted") {
  const Desk desk(mesh(2));
  auto request = desk.request();
  request.dot = true;
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(read_text(desk.at("out/topology.dot")), ContainsSubstring("graph \"routevpn\""));
  CHECK(desk.plan().changes == Changes{{Change::Kind::remove, "topology.dot"}});
}

// tests/netns/plan.sh holds the released program to a second.
TEST_CASE("a hundred sites of two gateways are planned") {
  const Desk desk(mesh(100));
  const auto begin = std::chrono::steady_clock::now();
  const auto report = desk.plan();
  CHECK(report.faults.empty());
  CHECK(report.links == 19800);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}
