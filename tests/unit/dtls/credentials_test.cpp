// Owners, modes and lists of the files of an identity.
#include "routevpn/dtls/credentials.hpp"

#include <chrono>

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"
#include "identity_files.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using Catch::Matchers::StartsWith;
using dtls::Identity;

TEST_CASE("files that another user can change are refused") {
  Files f;
  f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}));
  const std::string option = GENERATE("--cert ", "--ca ", "--crl ");
  const std::string path = option == "--cert " ? f.files.certificate
                           : option == "--ca " ? f.files.ca
                                               : f.files.crl;
  SECTION("by its mode") {
    const auto mode = GENERATE(0664U, 0606U);
    REQUIRE(chmod(path.c_str(), mode) == 0);
    CHECK(f.fault() == option + path + ": mode is " + (mode == 0664 ? "0664" : "0606") +
                           "; must be writable by its owner alone (chmod go-w " + path + ")");
  }
  SECTION("by its owner") {
    if (geteuid() != 0) return;  // only root can give a file away
    REQUIRE(chown(path.c_str(), 64999, 64999) == 0);
    CHECK_THAT(f.fault(), StartsWith(option + path + ": owner is user 64999; must be root"));
  }
  SECTION("by its directory") {
    REQUIRE(chmod(f.dir.path().c_str(), 0777) == 0);
    CHECK_THAT(f.fault(),
               ContainsSubstring(option + path + ": in " + f.dir.path() +
                                 "/: mode is 0777; must be writable by its owner alone"));
  }
}

TEST_CASE("a key of another user is refused") {
  if (geteuid() != 0) return;  // only root can give a file away
  Files f;
  REQUIRE(chown(f.files.key.c_str(), 64999, 64999) == 0);
  CHECK_THAT(f.fault(), StartsWith("--key " + f.files.key + ": owner is user 64999; must be root"));
}

TEST_CASE("loading reports one line for each wrong file") {
  Files f;
  f.dir.write("1.cert", "certificate");
  f.dir.write("1.key", f.issued.key, 0640);
  f.dir.write("ca.cert", f.issued.certificate);
  f.files.crl = f.dir.write("ca.crl", "nothing");
  std::vector<std::string> lines;
  try {
    Identity::load(f.files, {"V3-2", ""});
  } catch (const UsageErrors& errors) {
    lines = errors.lines;
    CHECK(std::string(errors.what()).find(lines[0] + "; " + lines[1]) == 0);
  }
  REQUIRE(lines.size() == 4);
  CHECK_THAT(lines[0], StartsWith("--cert " + f.files.certificate + ": not PEM"));
  CHECK_THAT(lines[1], StartsWith("--key " + f.files.key + ": mode is 0640"));
  CHECK_THAT(lines[2], StartsWith("--ca " + f.files.ca + ": holds no CA certificate"));
  CHECK_THAT(lines[3], StartsWith("--crl " + f.files.crl + ": not PEM"));
}

TEST_CASE("the CRL has a list of each CA") {
  Files f;
  TestCa second("Second CA");
  f.dir.write("ca.cert", f.ca.certificate() + second.certificate());
  f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}));
  CHECK(f.fault() ==
        "--crl " + f.files.crl +
            ": has no CRL of the CA CN=Second CA; it must hold one of each CA of --ca");
  f.dir.write("ca.crl", f.ca.revoke({7}) + second.revoke({}));
  CHECK(f.fault() == "(none)");
  const TestCa ended("Old CA", KeyKind::p256, -1);
  f.dir.write("ca.cert", f.ca.certificate() + second.certificate() + ended.certificate());
  CHECK(f.fault() == "(none)");
}

TEST_CASE("the dates of the CRL are those of the list that ends first") {
  Files f;
  CHECK_FALSE(Identity::load(f.files, {"*", ""})->revocation_dates());
  TestCa second("Second CA");
  f.dir.write("ca.cert", f.ca.certificate() + second.certificate());
  f.files.crl = f.dir.write("ca.crl", f.ca.revoke({}, 30) + second.revoke({}, 10));
  const auto dates = Identity::load(f.files, {"*", ""})->revocation_dates();
  REQUIRE(dates);
  const auto now = virtual_clock::wall();
  CHECK(dates->next_update - now > std::chrono::days(9));
  CHECK(dates->next_update - now <= std::chrono::days(10));
  CHECK(dates->last_update < now - std::chrono::days(59));
}

// The worker gets its credentials so.
TEST_CASE("credentials have texts without the key, and can be made of these again") {
  Files f;
  TestCa second("Second CA");
  f.dir.write("ca.cert", f.ca.certificate() + second.certificate());
  f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}) + second.revoke({}));
  const auto loaded = dtls::load_credentials(f.files);
  const auto texts = dtls::texts_of(loaded);
  for (const auto* text : {&texts.certificates, &texts.authorities, &texts.revocations}) {
    CHECK(text->find("PRIVATE") == std::string::npos);
  }
  auto again = dtls::parse_credentials(texts);
  CHECK(again.key == nullptr);
  CHECK(X509_cmp(again.certificate.get(), loaded.certificate.get()) == 0);
  CHECK(again.chain.size() == loaded.chain.size());
  CHECK(again.authorities.size() == 2);
  CHECK(again.revocations.size() == 2);
  CHECK(dtls::texts_of(again).revocations == texts.revocations);
  CHECK_THROWS_AS(dtls::parse_credentials({}), SystemError);
}
