#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/authority.hpp"

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
  CHECK_FALSE(fs::exists(workspace.at("out/V1-1/pki/ca.crl")));
  CHECK(plan::run(request).changes.empty());
  CHECK(pki::list(request.pki).size() == 2);

  workspace.write(mesh(3, 1));
  CHECK(plan::run(request).faults.empty());
  CHECK(pki::list(request.pki).size() == 3);
}

TEST_CASE("a CRL is made if a link reads one") {
  const Workspace workspace(mesh(2, 1) + "[defaults]\ncrl = \"/etc/routevpn/ca.crl\"\n");
  auto request = workspace.request();
  request.pki = workspace.at("pki");
  CHECK(plan::run(request).faults.empty());
  CHECK(read_text(workspace.at("out/V1-1/pki/ca.crl")) == read_text(workspace.at("pki/ca.crl")));
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
    CHECK(plan::run(other).faults.empty());
    fs::copy_file(workspace.at("old/V1-1.cert"), workspace.at(file),
                  fs::copy_options::overwrite_existing);
    reason = "was not issued by ";
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
