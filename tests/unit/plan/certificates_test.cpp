#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/pki/certificate.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "workspace.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

TEST_CASE("with the CA's key, certificates are issued once") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  request.check = true;
  const auto wanted = plan::run(request);
  CHECK_FALSE(fs::exists(request.pki));
  request.check = false;
  const auto made = plan::run(request);
  CHECK(made.changes == wanted.changes);
  CHECK(read_text(workspace.at("out/V1-1/pki/ca.cert")) == read_text(workspace.at("pki/ca.cert")));
  CHECK(read_text(workspace.at("out/V2-1/pki/V2-1.cert")) ==
        read_text(workspace.at("pki/V2-1.cert")));
  struct stat status {};
  REQUIRE(::stat(workspace.at("out/V1-1/pki/V1-1.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK(read_text(workspace.at("out/V1-1/pki/ca.crl")) == read_text(workspace.at("pki/ca.crl")));
  CHECK(plan::run(request).changes.empty());
  CHECK(pki::list(request.pki).size() == 2);

  workspace.write(mesh(3, 1));
  CHECK(plan::run(request).faults.empty());
  CHECK(pki::list(request.pki).size() == 3);
}

TEST_CASE("every planned link reads the CRL of the plan") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  const auto link = [&] { return read_text(workspace.at("out/V1-1/links/rv2-1.conf")); };
  CHECK(plan::run(request).faults.empty());
  const std::string crl = "\ncrl = /etc/routevpn/pki/ca.crl\n";
  CHECK_THAT(link(), ContainsSubstring(crl));  // also in a plan without a CA
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(link(), ContainsSubstring("\ncert = /etc/routevpn/pki/V1-1.cert\n") &&
                         ContainsSubstring("\nca = /etc/routevpn/pki/ca.cert" + crl));
  workspace.write(mesh(2, 1) + "[defaults]\ncrl = \"/x/{name}.crl\"\n");
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(link(), ContainsSubstring("\ncrl = /x/V1-1.crl\n"));
}

TEST_CASE("a planned revocation is in the CRL of every gateway") {
  const Workspace workspace(mesh(3, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  const auto before = read_text(workspace.at("out/V1-1/pki/ca.crl"));
  pki::revoke({.directory = request.pki, .name = "V3-1", .serial = {}, .days = {}});
  workspace.write(mesh(2, 1));
  const auto report = plan::run(request);
  const Change change{Change::Kind::change, "V1-1/pki/ca.crl"};
  CHECK(std::ranges::count(report.changes, change) == 1);
  for (const auto* const name : {"V1-1", "V2-1"}) {
    const auto path = workspace.at(std::string("out/") + name + "/pki/ca.crl");
    CHECK(read_text(path) != before);
    const auto list = pki::parse_revocation_list(read_text(path), path);
    CHECK(pki::entries_of(list.get()) == 1);
    CHECK(pki::next_update(list.get()) > pki::now() + std::chrono::days(3640));
  }
  CHECK(plan::run(request).changes.empty());
}

TEST_CASE("a plan renews a CRL that has less than two thirds of ten years left") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  const auto days_left = [&] {
    const auto list = pki::parse_revocation_list(read_text(workspace.at("pki/ca.crl")), "");
    return (pki::next_update(list.get()) - pki::now()) / std::chrono::days(1);
  };
  CHECK(days_left() >= 3649);
  const auto days = GENERATE(2432, 30);
  pki::revoke({.directory = request.pki, .name = {}, .serial = {}, .days = days});
  CHECK(days_left() <= days);
  request.check = true;
  CHECK(plan::run(request).changes == Changes{{Change::Kind::change, "V1-1/pki/ca.crl"},
                                              {Change::Kind::change, "V2-1/pki/ca.crl"}});
  request.check = false;
  CHECK(plan::run(request).changes.size() == 2);
  CHECK(days_left() >= 3649);
  CHECK(plan::run(request).changes.empty());
}

TEST_CASE("without the CA's key an outdated CRL is refused, because it would end every link") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  fs::rename(workspace.at("pki/ca.key"), workspace.at("ca.key"));
  CHECK(plan::run(request).changes.empty());
  fs::rename(workspace.at("ca.key"), workspace.at("pki/ca.key"));
  pki::revoke({.directory = request.pki, .name = {}, .serial = {}, .days = -1});
  fs::remove(workspace.at("pki/ca.key"));
  CHECK_THROWS_WITH(plan::run(request), StartsWith(workspace.at("pki/ca.crl") + ": has expired"));
  fs::remove(workspace.at("pki/ca.crl"));
  CHECK_THROWS_WITH(plan::run(request), StartsWith(workspace.at("pki/ca.crl") + ": is missing"));
}

TEST_CASE("without the CA's key, the plan contains instructions for a request") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(read_text(workspace.at("out/V1-1/pki/V1-1.request")),
             ContainsSubstring("routevpn pki csr --name V1-1"));

  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1/pki/V1-1.request")));
  fs::remove(workspace.at("pki/ca.key"));
  fs::remove(workspace.at("pki/V1-1.key"));
  workspace.write(mesh(3, 1));
  CHECK(plan::run(request).faults.empty());
  CHECK(fs::exists(workspace.at("out/V3-1/pki/V3-1.request")));
  CHECK(fs::exists(workspace.at("out/V1-1/pki/V1-1.cert")));
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1/pki/V1-1.key")));  // it is only on the gateway
}

TEST_CASE("certificates that are invalid, revoked or from another CA are refused") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  std::string file = "pki/V1-1.cert";
  std::string reason;
  SECTION("the CA is missing") {
    fs::remove(workspace.at("pki/ca.cert"));
    fs::remove(workspace.at("pki/ca.key"));
    fs::remove(workspace.at("pki/ca.index"));
    file = "pki/ca.cert";
    reason = "is missing, but its CA issued V1-1.cert";
  }
  SECTION("the certificate of the CA is missing") {
    fs::remove(workspace.at("pki/ca.cert"));
    file = "pki/ca.cert";
    reason = "is missing, but ca.key exists";
  }
  SECTION("revoked") {
    pki::RevokeOrder revoke;
    revoke.directory = request.pki;
    revoke.name = "V1-1";
    pki::revoke(revoke);
    reason = "is revoked; ";
  }
  SECTION("from another CA") {
    fs::rename(request.pki, workspace.at("old"));
    auto other = request;
    other.out = workspace.at("other");
    other.new_ca = true;
    CHECK(plan::run(other).faults.empty());
    fs::copy_file(workspace.at("old/V1-1.cert"), workspace.at(file),
                  fs::copy_options::overwrite_existing);
    reason = "was not issued by ";
  }
  SECTION("the index is lost") {
    fs::remove(workspace.at("pki/ca.index"));
    file = "pki/ca.index";
    reason = "is missing";
  }
  SECTION("not a certificate") {
    std::ofstream(workspace.at(file)) << "junk";
  }
  CHECK_THROWS_WITH(plan::run(request), StartsWith(workspace.at(file) + ": " + reason));
  request.check = true;
  CHECK_THROWS_AS(plan::run(request), UsageError);
}

TEST_CASE("a key that is only on the gateway is not planned") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  fs::remove(workspace.at("pki/V1-1.key"));
  fs::remove(workspace.at("pki/V1-1.csr"));
  CHECK(plan::run(request).faults.empty());
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1/pki/V1-1.key")));
  CHECK(fs::exists(workspace.at("out/V1-1/pki/V1-1.cert")));
}

TEST_CASE("a plan without --pki leaves the credentials of the last plan") {
  const Workspace workspace(mesh(2, 1));
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).kept_credentials == 0);
  const auto before = workspace.files();
  const auto lock = read_text(workspace.at("topology.lock"));
  request.pki.clear();
  const auto report = plan::run(request);
  CHECK(report.changes.empty());
  CHECK(report.kept_credentials == 8);
  CHECK(workspace.files() == before);
  CHECK(read_text(workspace.at("topology.lock")) == lock);

  workspace.write(mesh(3, 1));
  CHECK(plan::run(request).kept_credentials == 8);
  const auto after = workspace.files();
  for (const auto& [path, content] : before) {
    if (path.find("/pki/") != std::string::npos) CHECK(after.at(path) == content);
  }
  CHECK(after.contains("V3-1/pki/V3-1.request"));
  workspace.write(mesh(1, 1) + site(3, 1));  // V2-1 is no longer planned
  CHECK(plan::run(request).kept_credentials == 4);
  CHECK_FALSE(workspace.files().contains("V2-1/pki/V2-1.key"));
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).kept_credentials == 0);
  CHECK(workspace.files().contains("V3-1/pki/V3-1.cert"));
  CHECK_FALSE(workspace.files().contains("V3-1/pki/V3-1.request"));
}
