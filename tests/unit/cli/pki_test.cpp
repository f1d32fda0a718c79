#include <sstream>

#include <nlohmann/json.hpp>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

std::string issue(const ScratchDirectory& scratch, const std::string& words) {
  std::ostringstream out;
  const Console console{out, out};
  const auto line = parse_words("pki " + words + " --dir " + scratch.path());
  REQUIRE(line.faults.empty());
  CHECK(cli::run(std::get<PkiCommand>(line.command), console) == 0);
  return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("the proof-of-concept's make targets have their commands") {
  const ScratchDirectory scratch;
  CHECK_THAT(issue(scratch, "ca"),
             ContainsSubstring("ca.key, ca.cert: routevpn CA, valid until 20"));
  CHECK_THAT(issue(scratch, "csr --name 1"), ContainsSubstring("1.key, 1.csr: "));
  CHECK_THAT(issue(scratch, "sign --name 1"), ContainsSubstring("1.cert: serial "));
  for (const auto* file : {"ca.key", "ca.cert", "1.key", "1.csr", "1.cert"}) {
    CHECK(std::filesystem::exists(scratch.path() + "/" + file));
  }
}

TEST_CASE("psk prints a key, or writes it to a file") {
  const ScratchDirectory scratch;
  std::ostringstream out;
  const Console console{out, out};
  const auto run = [&](const std::string& words) {
    out.str("");
    const auto line = parse_words("pki psk" + words);
    REQUIRE(line.faults.empty());
    CHECK(cli::run(std::get<PkiCommand>(line.command), console) == 0);
    return out.str();
  };
  CHECK(run("").size() == 45);
  const auto file = scratch.path() + "/link.psk";
  CHECK(run(" --out " + file) == file + ": the same file goes to both gateways of the link\n");
  CHECK(std::filesystem::file_size(file) == 45);
}

TEST_CASE("list prints names, serials, expiry and status, as a table and as JSON") {
  const ScratchDirectory scratch;
  issue(scratch, "ca");
  CHECK(lines_of(issue(scratch, "list")) == Lines{"NAME  SERIAL  EXPIRES               STATUS"});
  CHECK(issue(scratch, "list --json") == "[]\n");
  for (const auto* name : {"1", "gateway-2"}) {
    issue(scratch, std::string("csr --name ") + name);
    issue(scratch, std::string("sign --name ") + name);
  }
  CHECK_THAT(issue(scratch, "revoke --name 1"), ContainsSubstring("revoked 1, serial ") &&
                                                    ContainsSubstring("ca.crl: 1 revoked, to be"));
  const auto list = nlohmann::json::parse(issue(scratch, "list --json"));
  REQUIRE(list.size() == 2);
  CHECK(list[0]["name"] == "1");
  CHECK(list[0]["status"] == "revoked");
  CHECK(list[0]["revoked_at"].is_string());
  CHECK(list[1]["status"] == "valid");
  CHECK(list[1]["revoked_at"].is_null());
  const auto table = lines_of(issue(scratch, "list"));
  REQUIRE(table.size() == 3);
  CHECK(table[0].starts_with("NAME       SERIAL "));
  CHECK(table[1].starts_with("1          " + list[0]["serial"].get<std::string>() + " "));
  CHECK(table[1].ends_with("Z  revoked"));
  CHECK(table[2].starts_with("gateway-2  " + list[1]["serial"].get<std::string>() + " "));
  CHECK(table[2].ends_with(list[1]["not_after"].get<std::string>() + "  valid"));
}

TEST_CASE("renew prints what it has renewed, or one line") {
  const ScratchDirectory scratch;
  issue(scratch, "ca");
  CHECK(issue(scratch, "renew") == "nothing is due\n");
  issue(scratch, "csr --name 1");
  issue(scratch, "sign --name 1");
  CHECK_THAT(issue(scratch, "crl --days 10"), ContainsSubstring("ca.crl: 0 revoked, to be"));
  const auto idle = lines_of(issue(scratch, "renew"));
  REQUIRE(idle.size() == 1);
  CHECK_THAT(idle[0], ContainsSubstring("nothing is due before 20") &&
                          ContainsSubstring(", when ca.crl is"));
  CHECK_THAT(
      issue(scratch, "renew --before 3650 --name 1"),
      ContainsSubstring("1.cert: renewed, serial ") && ContainsSubstring(", valid until 20"));
}

TEST_CASE("renew has status 1 when a certificate that is due was not renewed") {
  const ScratchDirectory scratch;
  issue(scratch, "ca");
  issue(scratch, "csr --name 1");
  issue(scratch, "sign --name 1");
  std::filesystem::remove(scratch.path() + "/1.csr");
  std::filesystem::remove(scratch.path() + "/1.cert");
  std::ostringstream out;
  std::ostringstream err;
  const auto line = parse_words("pki renew --before 3650 --dir " + scratch.path());
  CHECK(cli::run(std::get<PkiCommand>(line.command), Console{out, err}) == 1);
  CHECK(out.str().empty());
  CHECK_THAT(err.str(), ContainsSubstring("1.csr: is missing"));
}

TEST_CASE("a failed pki command throws UsageError") {
  const ScratchDirectory scratch;
  const auto line = parse_words("pki list --dir " + scratch.path());
  std::ostringstream out;
  CHECK_THROWS_AS(run(std::get<PkiCommand>(line.command), Console{out, out}), UsageError);
  CHECK(out.str().empty());
}
