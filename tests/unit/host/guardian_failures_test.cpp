// The guardian's table cannot be made.
#include <array>
#include <filesystem>
#include <fstream>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

#include "catch.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

// Why the guardian fails where nft is another file.
std::string failure_in_place_of_nft(const std::string& file, const GuardianDuties& duties,
                                    const TestNetns& lab) {
  std::array<int, 2> answer{};
  REQUIRE(pipe(answer.data()) == 0);
  const Fd reader(answer[0]);
  Fd writer(answer[1]);
  const pid_t child = fork();
  if (child == 0) {
    std::string nft = run("command -v nft").text;
    nft.pop_back();
    const bool replaced = unshare(CLONE_NEWNS) == 0 &&
                          mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          mount(file.c_str(), nft.c_str(), nullptr, MS_BIND, nullptr) == 0;
    std::string failure = replaced ? "none" : "nft was not replaced";
    try {
      const Guardian guardian = start_guardian(duties, lab);
    } catch (const UsageError& error) {
      failure = std::string("usage: ") + error.what();
    } catch (const SystemError& error) {
      failure = std::string("system: ") + error.what();
    }
    const auto written = ::write(writer.get(), failure.data(), failure.size());
    _exit(written == static_cast<ssize_t>(failure.size()) ? 0 : 1);
  }
  writer.reset();
  std::string failure(4096, '\0');
  CHECK(read_all(reader, failure));
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return failure;
}

}  // namespace

TEST_CASE("a table without nft is a usage error") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const bool routed = GENERATE(false, true);
  const GuardianDuties duties{.nat = !routed, .routed_sources = routed};
  CHECK(failure_in_place_of_nft("/dev/null", duties, lab) ==
        std::string("usage: ") + (routed ? "--accept routed" : "--nat") +
            " needs the nft program (package nftables)");
}

TEST_CASE("a kernel that cannot look up routes for nftables is a failure with one line") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const auto nft = std::filesystem::temp_directory_path() / ("nft-" + std::to_string(getpid()));
  std::ofstream(nft) << "#!/bin/sh\n"
                        "echo 'Error: Could not process rule: No such file or directory' >&2\n"
                        "cat >/dev/null\n";
  std::filesystem::permissions(nft, std::filesystem::perms{0755});
  CHECK(failure_in_place_of_nft(nft, GuardianDuties{.routed_sources = true}, lab) ==
        "system: --accept routed: nftables table routevpn-rv0: Error: Could not process rule: No "
        "such file or directory");
  std::filesystem::remove(nft);
}

TEST_CASE("if the guardian fails it reports why and nothing remains") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0");
  SECTION("a table of the name") {
    lab.must("nft add table inet routevpn-rv0");
    CHECK(error_of<UsageError>(nat_duties, lab) ==
          "--nat: nftables table inet routevpn-rv0 already exists");
    CHECK(lab.run_inside("nft list tables").text == "table inet routevpn-rv0\n");
  }
  SECTION("a name that is not valid in nft") {
    CHECK_THAT(error_of<UsageError>(nat_duties, lab, "rv0; }"),
               ContainsSubstring("cannot name an nftables table"));
  }
  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
}
