#include "routevpn/plan/certificates.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/authority.hpp"

#include "catch.hpp"
#include "desk.hpp"
#include "topologies.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

TEST_CASE("certificates are made with the CA at hand, once") {
  const Desk desk(mesh(2, 1));
  auto request = desk.request();
  request.pki = desk.at("pki");
  request.check = true;
  const auto wanted = plan::run(request);
  CHECK_FALSE(fs::exists(request.pki));
  request.check = false;
  const auto made = plan::run(request);
  CHECK(made.changes == wanted.changes);
  CHECK(read_text(desk.at("out/V1-1/pki/ca.cert")) == read_text(desk.at("pki/ca.cert")));
  CHECK(read_text(desk.at("out/V2-1/pki/V2-1.cert")) == read_text(desk.at("pki/V2-1.cert")));
  struct stat status {};
  REQUIRE(::stat(desk.at("out/V1-1/pki/V1-1.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  CHECK_FALSE(fs::exists(desk.at("out/V1-1/pki/ca.crl")));
  CHECK(plan::run(request).changes.empty());
  CHECK(pki::list(request.pki).size() == 2);

  desk.write(mesh(3, 1));
  CHECK(plan::run(request).faults.empty());
  CHECK(pki::list(request.pki).size() == 3);
}

TEST_CASE("where a link reads a CRL there is one") {
  const Desk desk(mesh(2, 1) + "[defaults]\ncrl = \"/etc/routevpn/ca.crl\"\n");
  auto request = desk.request();
  request.pki = desk.at("pki");
  CHECK(plan::run(request).faults.empty());
  CHECK(read_text(desk.at("out/V1-1/pki/ca.crl")) == read_text(desk.at("pki/ca.crl")));
}

TEST_CASE("without the CA's key certificates are to be requested") {
  const Desk desk(mesh(2, 1));
  auto request = desk.request();
  CHECK(plan::run(request).faults.empty());
  CHECK_THAT(read_text(desk.at("out/V1-1/pki/V1-1.request")),
             ContainsSubstring("routevpn pki csr --name V1-1"));

  request.pki = desk.at("pki");
  CHECK(plan::run(request).faults.empty());
  CHECK_FALSE(fs::exists(desk.at("out/V1-1/pki/V1-1.request")));
  fs::remove(desk.at("pki/ca.key"));
  fs::remove(desk.at("pki/V1-1.key"));
  desk.write(mesh(3, 1));
  CHECK(plan::run(request).faults.empty());
  CHECK(fs::exists(desk.at("out/V3-1/pki/V3-1.request")));
  CHECK(fs::exists(desk.at("out/V1-1/pki/V1-1.cert")));
  CHECK_FALSE(fs::exists(desk.at("out/V1-1/pki/V1-1.key")));  // it is on the gateway
}

TEST_CASE("certificates of another CA, revoked ones and junk are refused") {
  const Desk desk(mesh(2, 1));
  auto request = desk.request();
  request.pki = desk.at("pki");
  CHECK(plan::run(request).faults.empty());
  std::string file = "pki/V1-1.cert";
  std::string reason;
  SECTION("the CA is gone") {
    fs::remove(desk.at("pki/ca.cert"));
    fs::remove(desk.at("pki/ca.key"));
    fs::remove(desk.at("pki/ca.index"));
    file = "pki/ca.cert";
    reason = "is missing, whose CA issued V1-1.cert";
  }
  SECTION("its certificate is gone") {
    fs::remove(desk.at("pki/ca.cert"));
    file = "pki/ca.cert";
    reason = "is missing beside ca.key";
  }
  SECTION("revoked") {
    pki::RevokeOrder revoke;
    revoke.directory = request.pki;
    revoke.name = "V1-1";
    pki::revoke(revoke);
    reason = "is revoked; ";
  }
  SECTION("another CA's") {
    fs::rename(request.pki, desk.at("old"));
    auto other = request;
    other.out = desk.at("other");
    CHECK(plan::run(other).faults.empty());
    fs::copy_file(desk.at("old/V1-1.cert"), desk.at(file), fs::copy_options::overwrite_existing);
    reason = "was not issued by ";
  }
  SECTION("junk") {
    std::ofstream(desk.at(file)) << "junk";
  }
  CHECK_THROWS_WITH(plan::run(request), StartsWith(desk.at(file) + ": " + reason));
  request.check = true;
  CHECK_THROWS_AS(plan::run(request), UsageError);
}

TEST_CASE("a key that was never here is not made up") {
  const Desk desk(mesh(2, 1));
  auto request = desk.request();
  request.pki = desk.at("pki");
  CHECK(plan::run(request).faults.empty());
  fs::remove(desk.at("pki/V1-1.key"));
  fs::remove(desk.at("pki/V1-1.csr"));
  CHECK(plan::run(request).faults.empty());
  CHECK_FALSE(fs::exists(desk.at("out/V1-1/pki/V1-1.key")));
  CHECK(fs::exists(desk.at("out/V1-1/pki/V1-1.cert")));
}
