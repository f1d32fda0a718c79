// The pre-shared keys of planned links.
#include <fstream>
#include <optional>
#include <sstream>

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

namespace {

// The PSK files that the link's configuration names, without their directory.
std::string psk_lines(const Workspace& workspace, const std::string& gateway,
                      const std::string& ifname) {
  std::istringstream in(workspace.files().at(gateway + "/links/" + ifname + ".conf"));
  const std::string begin = "psk = /etc/routevpn/psk/";
  std::string text;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(begin)) text += line.substr(begin.size()) + " ";
  }
  return text;
}

std::optional<std::uint32_t> make_step(const Workspace& workspace) {
  auto request = workspace.request();
  request.new_psks = true;
  return plan::run(request).psk_step;
}

std::string psk_of(const Workspace& workspace, const std::string& path) {
  const auto files = workspace.files();
  const auto found = files.find(path);
  return found == files.end() ? "none" : found->second;
}

}  // namespace

TEST_CASE("three steps replace all keys, and each end always accepts the key that the other uses") {
  const Workspace workspace(mesh(2));
  CHECK_FALSE(workspace.plan().psk_step);
  const std::string own = "V1-1/psk/rv2-1";
  const std::string peers = "V2-1/psk/rv1-1";
  std::string old_name = ".psk";
  std::string new_name = ".odd-generation.psk";
  for (int round = 1; round <= 2; ++round) {
    const auto old_key = psk_of(workspace, own + old_name);
    CHECK(make_step(workspace) == 1);
    CHECK(psk_lines(workspace, "V1-1", "rv2-1") == "rv2-1" + old_name + " rv2-1" + new_name + " ");
    const auto new_key = psk_of(workspace, own + new_name);
    CHECK(new_key != old_key);
    CHECK(new_key == psk_of(workspace, peers + new_name));
    CHECK(new_key != psk_of(workspace, "V1-1/psk/rv2-2" + new_name));
    CHECK(workspace.plan().psk_step == 1);  // a plan without the option stays at the step
    CHECK(workspace.plan(true).changes.empty());

    CHECK(make_step(workspace) == 2);
    CHECK(psk_lines(workspace, "V1-1", "rv2-1") == "rv2-1" + new_name + " rv2-1" + old_name + " ");
    CHECK(psk_of(workspace, own + old_name) == old_key);
    CHECK(psk_of(workspace, own + new_name) == new_key);

    CHECK(make_step(workspace) == 3);
    CHECK(psk_lines(workspace, "V1-1", "rv2-1") == "rv2-1" + new_name + " ");
    CHECK(psk_of(workspace, own + old_name) == "none");
    CHECK(psk_of(workspace, own + new_name) == new_key);
    CHECK(psk_of(workspace, peers + new_name) == new_key);
    CHECK_FALSE(workspace.plan().psk_step);
    CHECK(workspace.plan(true).changes.empty());
    std::swap(old_name, new_name);
  }
  CHECK_THAT(read_text(workspace.at("topology.lock")), ContainsSubstring("\npsk-steps 6\n"));
}

TEST_CASE("a step is refused without the key of the step before, and without a link with a key") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  CHECK(make_step(workspace) == 1);
  const std::string lost = "out/V1-1/psk/rv2-1.odd-generation.psk";
  fs::remove(workspace.at(lost));
  fs::remove(workspace.at("out/V2-1/psk/rv1-1.odd-generation.psk"));
  const auto lock = read_text(workspace.at("topology.lock"));
  CHECK_THROWS_WITH(make_step(workspace),
                    workspace.at(lost) +
                        ": is missing, and the last step of --new-psks has made "
                        "it; plan without --new-psks and apply that first");
  CHECK(read_text(workspace.at("topology.lock")) == lock);
  CHECK(workspace.plan().psk_step == 1);
  CHECK(fs::exists(workspace.at(lost)));
  workspace.write(mesh(2, 2, "psk = false\n"));
  CHECK_THROWS_WITH(make_step(workspace), "--new-psks: no link of this plan has a pre-shared key");
}

TEST_CASE("a link that is new in the middle of a step has both keys, and a lost lock no new key") {
  const Workspace workspace(mesh(2));
  CHECK(workspace.plan().faults.empty());
  CHECK(make_step(workspace) == 1);
  workspace.write(mesh(3));
  CHECK(make_step(workspace) == 2);
  for (const std::string name : {".psk", ".odd-generation.psk"}) {
    CHECK(psk_of(workspace, "V3-1/psk/rv1-1" + name) == psk_of(workspace, "V1-1/psk/rv3-1" + name));
  }
  CHECK(make_step(workspace) == 3);
  const auto key = psk_of(workspace, "V1-1/psk/rv2-1.odd-generation.psk");
  fs::remove(workspace.at("topology.lock"));
  CHECK_FALSE(workspace.plan().psk_step);
  CHECK(psk_of(workspace, "V1-1/psk/rv2-1.psk") == key);
  CHECK(psk_of(workspace, "V1-1/psk/rv2-1.odd-generation.psk") == "none");
}

TEST_CASE("psk must be true or false") {
  CHECK(faults_of(mesh(2, 2, "psk = \"no\"\n")) == "5: psk: must be true or false\n");
}
