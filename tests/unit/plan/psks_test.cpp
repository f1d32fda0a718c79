// The pre-shared keys of planned links.
#include <fstream>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "workspace.hpp"

using namespace routevpn;
using namespace routevpn::plan;
namespace fs = std::filesystem;

namespace {

std::string fault_of(const Workspace& workspace) {
  try {
    (void)workspace.plan();
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

const std::string one_end = "out/V1-1/psk/rv2-1.psk";
const std::string other_end = "out/V2-1/psk/rv1-1.psk";

}  // namespace

TEST_CASE("each planned link has a pre-shared key of its own, the same at both ends") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  const auto files = workspace.files();
  CHECK(files.at("V1-1/psk/rv2-1.psk").size() == 45);
  CHECK(files.at("V1-1/psk/rv2-1.psk") == files.at("V2-1/psk/rv1-1.psk"));
  CHECK(files.at("V1-1/psk/rv2-1.psk") != files.at("V1-1/psk/rv2-2.psk"));
  CHECK_THAT(files.at("V1-1/links/rv2-1.conf"),
             ContainsSubstring("\npsk = /etc/routevpn/psk/rv2-1.psk\n"));
  struct stat status {};
  REQUIRE(stat(workspace.at(one_end).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  CHECK(read_text(workspace.at("topology.lock")).find(files.at("V1-1/psk/rv2-1.psk")) ==
        std::string::npos);
}

TEST_CASE("a later plan keeps the keys, gives a new link a new key, and restores a lost end") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  const auto before = workspace.files();
  workspace.write(mesh(3));
  fs::remove(workspace.at(other_end));
  CHECK(workspace.plan().faults.empty());
  const auto after = workspace.files();
  for (const auto& [path, content] : before) {
    if (path.ends_with(".psk")) CHECK(after.at(path) == content);
  }
  CHECK(after.at("V1-1/psk/rv3-1.psk") == after.at("V3-1/psk/rv1-1.psk"));
  fs::remove(workspace.at(one_end));
  fs::remove(workspace.at(other_end));
  CHECK(workspace.plan().faults.empty());
  CHECK(workspace.files().at("V1-1/psk/rv2-1.psk") != before.at("V1-1/psk/rv2-1.psk"));
}

TEST_CASE("a plan that was made without keys gets them at both ends") {
  const Workspace workspace(mesh(2, 2, "psk = false\n"));
  CHECK(workspace.plan().faults.empty());
  CHECK(workspace.files() == workspace.files_without_psks());
  CHECK(workspace.files().at("V1-1/links/rv2-1.conf").find("psk") == std::string::npos);
  workspace.write(mesh(2));
  const auto report = workspace.plan(true);
  CHECK(report.changes.size() == 16);  // 8 new keys, 8 changed links
  CHECK(workspace.plan().changes == report.changes);
  CHECK(workspace.plan(true).changes.empty());
}

TEST_CASE("a link may have no key in a plan with keys, and the other way round") {
  const bool all = GENERATE(true, false);
  const std::string word = all ? "true" : "false";
  const std::string other = all ? "false" : "true";
  const Workspace workspace(mesh(2, 2, "psk = " + word + "\n") +
                            "[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\npsk = " + other + "\n");
  CHECK(workspace.plan().faults.empty());
  CHECK(fs::exists(workspace.at(one_end)) != all);
  CHECK(fs::exists(workspace.at("out/V1-2/psk/rv2-1.psk")) == all);
}

TEST_CASE("a file that is no key, and two ends with different keys, are faults") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  std::ofstream(workspace.at(one_end)) << read_text(workspace.at("out/V1-2/psk/rv2-2.psk"));
  CHECK(fault_of(workspace) == workspace.at(other_end) + ": differs from " + workspace.at(one_end) +
                                   ", but both ends of a link need the same pre-shared key; "
                                   "remove one of them");
  std::ofstream(workspace.at(one_end)) << "none\n";
  CHECK(fault_of(workspace) ==
        workspace.at(one_end) + ": is not a pre-shared key; remove the file to get a new one");
}

TEST_CASE("psk must be true or false") {
  CHECK(faults_of(mesh(2, 2, "psk = \"no\"\n")) == "5: psk: must be true or false\n");
}
