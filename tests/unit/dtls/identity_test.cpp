#include "routevpn/dtls/identity.hpp"

#include <algorithm>
#include <ctime>

#include <openssl/err.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/credentials.hpp"

#include "../../../src/dtls/certificate.hpp"
#include "../../../src/dtls/verify.hpp"
#include "catch.hpp"
#include "identity_files.hpp"
#include "test_pki.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using Catch::Matchers::StartsWith;
using dtls::Identity;
using dtls::IdentityPolicy;

TEST_CASE("a valid identity describes its certificate") {
  Files f;
  const auto identity = Identity::load(f.files, {"V3-2", ""});
  CHECK(identity->initiator() != nullptr);
  CHECK(identity->acceptor() != nullptr);
  const auto& info = identity->certificate();
  CHECK(info.name == "V3-1");
  CHECK(info.subject == "CN=V3-1");
  CHECK(info.fingerprint.size() == 64);
  CHECK(info.fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos);
  const auto left = info.not_after - virtual_clock::wall();
  CHECK(left > std::chrono::hours(24 * 365 - 1));
  CHECK(left <= std::chrono::hours(24 * 365));
}

TEST_CASE("a certificate may end after system_clock does") {
  Files f;
  f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .ends_in_days = 365 * 300}),
                        f.ca.certificate());
  const auto end = Identity::load(f.files, {"V3-2", ""})->certificate().not_after;
  CHECK(end - virtual_clock::wall() > std::chrono::hours(24 * 365 * 100));
}

TEST_CASE("every allowed kind of key loads") {
  const auto key = GENERATE(KeyKind::p256, KeyKind::p384, KeyKind::ed25519, KeyKind::rsa2048);
  Files f;
  f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .key = key}), f.ca.certificate());
  CHECK(f.fault() == "(none)");
}

TEST_CASE("faults of the certificate file") {
  Files f;
  std::string& path = f.files.certificate;
  SECTION("missing") {
    path = f.dir.path() + "/none";
    CHECK(f.fault() == "--cert " + path + ": cannot be read: No such file or directory");
  }
  SECTION("a directory") {
    path = f.dir.path();
    CHECK(f.fault() == "--cert " + path + ": not a regular file");
  }
  SECTION("empty") {
    f.dir.write("1.cert", "");
    CHECK(f.fault() == "--cert " + path + ": not PEM: it must hold -----BEGIN CERTIFICATE-----");
  }
  SECTION("not PEM") {
    f.dir.write("1.cert", "certificate");
    CHECK(f.fault() == "--cert " + path + ": not PEM: it must hold -----BEGIN CERTIFICATE-----");
  }
  SECTION("damaged") {
    f.dir.write("1.cert", f.issued.certificate.substr(0, 200));
    CHECK(f.fault() == "--cert " + path + ": damaged after -----BEGIN CERTIFICATE-----");
  }
  SECTION("a key that is not allowed") {
    const auto key = GENERATE(KeyKind::p521, KeyKind::rsa1024);
    f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .key = key}), f.ca.certificate());
    const std::string kind =
        key == KeyKind::p521 ? "an ECDSA key of curve secp521r1" : "an RSA key of 1024 bits";
    CHECK(f.fault() == "--cert " + path + ": has " + kind +
                           "; links accept ECDSA P-256 and P-384, Ed25519 and RSA of 2048 to 8192 "
                           "bits");
  }
  SECTION("expired") {
    f.files = write_files(f.dir, "1",
                          f.ca.issue({.name = "V3-1", .begins_in_days = -9, .ends_in_days = -2}),
                          f.ca.certificate());
    CHECK_THAT(f.fault(), StartsWith("may end: --cert " + path + ": expired on 20"));
  }
  SECTION("not yet valid") {
    f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .begins_in_days = 2}),
                          f.ca.certificate());
    CHECK_THAT(f.fault(), StartsWith("may end: --cert " + path + ": not valid before 20"));
  }
}

TEST_CASE("faults of the key file") {
  Files f;
  const std::string& path = f.files.key;
  SECTION("readable by others") {
    const auto mode = GENERATE(0640U, 0604U, 0620U, 0601U);
    f.dir.write("1.key", f.issued.key, mode);
    CHECK_THAT(f.fault(), StartsWith("--key " + path + ": mode is 06"));
    CHECK_THAT(f.fault(),
               ContainsSubstring("; must be readable by its owner alone (chmod 600 " + path + ")"));
  }
  SECTION("readable by its owner alone") {
    const auto mode = GENERATE(0600U, 0400U);
    f.dir.write("1.key", f.issued.key, mode);
    CHECK(f.fault() == "(none)");
  }
  SECTION("of another certificate") {
    f.dir.write("1.key", f.ca.issue({.name = "V3-1"}).key);
    CHECK(f.fault() == "--key " + path + ": not the key of the certificate " + f.files.certificate);
  }
  SECTION("not PEM") {
    f.dir.write("1.key", "key");
    CHECK(f.fault() == "--key " + path + ": not PEM: it must hold -----BEGIN PRIVATE KEY-----");
  }
  SECTION("encrypted: no prompt") {
    f.dir.write("1.key", encrypted(f.issued.key, "secret"));
    CHECK_THAT(f.fault(),
               ContainsSubstring("--key " + path + ": encrypted keys are not supported"));
  }
}

TEST_CASE("faults of the CA and CRL files") {
  Files f;
  SECTION("a CA file without a CA") {
    f.dir.write("ca.cert", f.issued.certificate);
    CHECK(f.fault() ==
          "--ca " + f.files.ca + ": holds no CA certificate (basicConstraints must say CA:TRUE)");
  }
  SECTION("a missing CA file") {
    f.files.ca = "/nonexistent/ca";
    CHECK(f.fault() == "--ca /nonexistent/ca: cannot be read: No such file or directory");
  }
  SECTION("the CRL of another CA") {
    TestCa other("Other CA");
    f.files.crl = f.dir.write("ca.crl", other.revoke({7}));
    CHECK(f.fault() ==
          "--crl " + f.files.crl + ": not signed by a CA of --ca: its issuer is CN=Other CA");
  }
  SECTION("the CRL of another CA of the same name") {
    TestCa other;
    f.files.crl = f.dir.write("ca.crl", other.revoke({7}));
    CHECK_THAT(f.fault(), ContainsSubstring(": not signed by a CA of --ca"));
  }
  SECTION("an expired CRL") {
    f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}, -5));
    CHECK_THAT(f.fault(), StartsWith("may end: --crl " + f.files.crl + ": expired on 20"));
  }
  SECTION("not a CRL") {
    f.files.crl = f.dir.write("ca.crl", "nothing");
    CHECK(f.fault() == "--crl " + f.files.crl + ": not PEM: it must hold -----BEGIN X509 CRL-----");
  }
  SECTION("a valid CRL") {
    f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}));
    CHECK(f.fault() == "(none)");
  }
}

TEST_CASE("one CA of the bundle must be valid now") {
  Files f;
  const TestCa ended("Old CA", KeyKind::p256, -1);
  f.dir.write("ca.cert", f.ca.certificate() + ended.certificate());
  CHECK(f.fault() == "(none)");
  f.dir.write("ca.cert", ended.certificate());
  CHECK_THAT(f.fault(),
             StartsWith("may end: --ca " + f.files.ca + ": the CA CN=Old CA expired on 20"));
}

TEST_CASE("a fault that needs a change is reported before faults that end by themselves") {
  Files f;
  f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .begins_in_days = 2}),
                        f.ca.certificate());
  CHECK_THAT(f.fault(), StartsWith("may end: "));
  f.dir.write("1.key", "key");
  CHECK_THAT(f.fault(), StartsWith("--cert "));
}

TEST_CASE("a certificate with a malformed date is refused") {
  Files f;
  f.files = write_files(f.dir, "1", f.ca.issue({.name = "V3-1", .malformed_end = true}),
                        f.ca.certificate());
  CHECK(f.fault() == "--cert " + f.files.certificate + ": holds a malformed date");
}

TEST_CASE("an end before system_clock begins does not overflow") {
  const Owned<ASN1_TIME, ASN1_TIME_free> year_1(ASN1_TIME_new());
  REQUIRE(ASN1_TIME_set_string_X509(year_1.get(), "00010101000000Z") == 1);
  CHECK(dtls::time_point_of(year_1.get()) < std::chrono::sys_days(std::chrono::year(1678) / 1 / 1));
  CHECK(dtls::date_of(year_1.get()) == "1-01-01");
}

TEST_CASE("OpenSSL must take the name of the peer") {
  const dtls::SslContext context(SSL_CTX_new(DTLS_method()));
  dtls::require_peer(context.get(), "V3-1");
  CHECK_THROWS_AS(dtls::require_peer(context.get(), std::string("V3\0-1", 5)), SystemError);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("the names that are shown of a certificate have 64 characters at most") {
  TestCa ca;
  const std::string name = std::string(61, 'n');
  const auto info =
      make_identity(ca.issue({.name = "V3-1", .alternative_names = "DNS:" + name + ".example.org"}),
                    ca.certificate(), "*")
          ->certificate();
  CHECK(info.name == name + "...");
  CHECK(info.subject == "CN=V3-1");
}

TEST_CASE("faults of the policy") {
  Files f;
  const auto* suites = GENERATE("FOO", "AES128-GCM-SHA256", "DEFAULT", "ECDHE-RSA-AES128-SHA256",
                                "ECDHE-ECDSA-AES128-GCM-SHA256:", "@SECLEVEL=0");
  CHECK_THAT(f.fault({"V3-2", suites}),
             ContainsSubstring("is not allowed; allowed are ECDHE-ECDSA-AES128-GCM-SHA256:"));
  CHECK_THAT(f.fault({"V3-2", suites}), ContainsSubstring("--ciphers: '"));
  CHECK(f.fault({"V3-2", "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"}) == "(none)");
  for (const char* name : {"", ".example.org"}) {
    CHECK_THAT(f.fault({name, ""}), ContainsSubstring("--peer-name: '"));
  }
}

TEST_CASE("the identity loads its PSKs in order and reports a faulty file") {
  Files f;
  f.files.psk = {f.dir.write("new.psk", psk_line(1)), f.dir.write("old.psk", psk_line(2))};
  const auto identity = Identity::load(f.files, {"V3-2", ""});
  const auto& psks = identity->psks();
  REQUIRE(psks.size() == 2);
  CHECK(std::ranges::equal(psks[0]->traffic_secret(),
                           dtls::load_psk(f.files.psk[0])->traffic_secret()));
  CHECK(std::ranges::equal(psks[1]->traffic_secret(),
                           dtls::load_psk(f.files.psk[1])->traffic_secret()));
  f.files.psk[1] = f.dir.path() + "/none.psk";
  CHECK(f.fault() == "--psk " + f.files.psk[1] + ": cannot be read: No such file or directory");
}
