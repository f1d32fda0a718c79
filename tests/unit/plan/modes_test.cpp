// Modes and owners of planned files and directories.
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "workspace.hpp"

using namespace routevpn;
using namespace routevpn::plan;
namespace fs = std::filesystem;

TEST_CASE("planned files and directories have their modes under every umask") {
  const auto mask = GENERATE(0000U, 0022U, 0777U);
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("new/pki");
  request.out = workspace.at("new/out");
  const mode_t before = umask(mask);
  const auto first = plan::run(request);
  fs::remove_all(workspace.at("new/out/V1-1/links"));  // the next plan makes them again, alone
  fs::remove_all(workspace.at("new/out/V1-1/pki"));
  const auto second = plan::run(request);
  umask(before);
  CHECK(first.faults.empty());
  CHECK(second.changes.size() == 5);
  const auto is_secret = [](const fs::path& path) {
    return path.extension() == ".key" || path.filename() == "pki" || path.extension() == ".psk" ||
           path.filename() == "psk";
  };
  for (const auto& entry : fs::recursive_directory_iterator(workspace.at("new"))) {
    CAPTURE(mask, entry.path().string());
    const bool directory = entry.is_directory();
    const auto wanted =
        is_secret(entry.path()) ? (directory ? 0700U : 0600U) : (directory ? 0755U : 0644U);
    CHECK(entry.status().permissions() == fs::perms{wanted});
  }
  CHECK(fs::status(workspace.at("new")).permissions() == fs::perms{0755});
  CHECK(fs::status(workspace.at("topology.lock")).permissions() == fs::perms{0644});
}

TEST_CASE("a directory in which another user can make files stops the plan before any change") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  const auto lock = read_text(workspace.at("topology.lock"));
  workspace.write(mesh(3, 1));
  const std::string name = GENERATE("out", "out/V1-1", "out/V1-1/links", "out/V2-1/pki", "pki");
  const auto path = workspace.at(name);
  const auto mode = GENERATE(0777U, 0775U, 01777U);
  fs::permissions(path, fs::perms{mode});
  const auto octal = mode == 0777 ? "0777" : mode == 0775 ? "0775" : "1777";
  CHECK_THROWS_WITH(plan::run(request), ContainsSubstring(path + ": mode is " + octal +
                                                          "; must be writable by its owner alone"));
  request.check = true;
  CHECK_THROWS_AS(plan::run(request), UsageError);
  CHECK(read_text(workspace.at("topology.lock")) == lock);
  CHECK_FALSE(fs::exists(workspace.at("out/V3-1")));
  CHECK_FALSE(fs::exists(workspace.at("pki/V3-1.key")));
}

TEST_CASE("a directory of another user stops the plan, and a file of another user is replaced") {
  if (geteuid() != 0) return;  // only root can give a file away
  constexpr uid_t stranger = 64999;
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  const auto units = workspace.at("out/V1-1/units");
  REQUIRE(chown(units.c_str(), stranger, stranger) == 0);
  CHECK(workspace.plan().changes == Changes{{Change::Kind::change, "V1-1/units"}});
  struct stat status {};
  REQUIRE(stat(units.c_str(), &status) == 0);
  CHECK(status.st_uid == 0);
  const std::string name = GENERATE("out/V1-1/links", "out");
  REQUIRE(chown(workspace.at(name).c_str(), stranger, stranger) == 0);
  CHECK_THROWS_WITH(workspace.plan(),
                    ContainsSubstring(workspace.at(name) + ": owner is user 64999; must be root"));
}
