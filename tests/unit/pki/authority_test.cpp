#include "routevpn/pki/authority.hpp"

#include "routevpn/pki/certificate.hpp"
#include "routevpn/pki/files.hpp"

#include "catch.hpp"
#include "scratch_ca.hpp"

using namespace routevpn;
using namespace routevpn::pki;

namespace {

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("every kind of key makes a CA and certificates that openssl verifies strictly") {
  const auto algorithm =
      GENERATE(Algorithm::p256, Algorithm::p384, Algorithm::ed25519, Algorithm::rsa3072);
  const Ca ca(algorithm);
  ca.request("1", algorithm);
  sign({ca.path(), "1", std::nullopt, false});
  CHECK(ca.files() == Names{"1.cert", "1.csr", "1.key", "ca.cert", "ca.index", "ca.key"});
  CHECK(ca.openssl("verify -x509_strict -CAfile ca.cert ca.cert") == "ca.cert: OK\n");
  CHECK(ca.openssl(std::string(strict) + "-purpose sslserver 1.cert") == "1.cert: OK\n");
  CHECK(ca.openssl(std::string(strict) + "-purpose sslclient -verify_hostname 1 1.cert") ==
        "1.cert: OK\n");
  CHECK(ca.mode("ca.key") == 0600);
  CHECK(ca.mode("1.key") == 0600);
  CHECK(ca.openssl("pkey -in 1.key -pubout") == ca.openssl("x509 -in 1.cert -noout -pubkey"));
  CHECK_THAT(ca.openssl("req -in 1.csr -noout -verify -text"), ContainsSubstring("DNS:1"));
}

TEST_CASE("a gateway's certificate has the expected fields") {
  const Ca ca;
  const auto issued = ca.issue("V1-1");
  const auto text = ca.openssl("x509 -in V1-1.cert -noout -text -nameopt RFC2253");
  for (const auto* line : {
           "Issuer: CN=routevpn CA",
           "Subject: CN=V1-1\n",
           "X509v3 Basic Constraints: critical\n                CA:FALSE",
           "X509v3 Key Usage: critical\n                Digital Signature\n",
           "TLS Web Server Authentication, TLS Web Client Authentication",
           "                DNS:V1-1\n",
           "X509v3 Subject Key Identifier",
           "X509v3 Authority Key Identifier",
           "ecdsa-with-SHA256",
       }) {
    CHECK_THAT(text, ContainsSubstring(line));
  }
  CHECK(ca.openssl("x509 -in V1-1.cert -noout -serial") == "serial=" + issued.serial + "\n");
  CHECK(ca.openssl("x509 -in V1-1.cert -noout -checkend 28252800") ==  // 327 days
        "Certificate will not expire\n");
  const auto authority = ca.openssl("x509 -in ca.cert -noout -text");
  CHECK_THAT(authority, ContainsSubstring("critical\n                CA:TRUE, pathlen:0"));
  CHECK_THAT(authority,
             ContainsSubstring("critical\n                Certificate Sign, CRL Sign\n"));
}

TEST_CASE("serials are 159 random bits at most and differ") {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto serial = random_serial();
    CHECK(serial.size() <= 40);
    CHECK((serial.size() < 40 || serial.front() < '8'));
    seen.insert(serial);
  }
  CHECK(seen.size() == 200);
}

TEST_CASE("only the key of a request is used") {
  const Ca ca;
  ca.openssl(
      "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout 2.key -out 2.csr "
      "-subj /CN=admin -addext basicConstraints=critical,CA:TRUE -addext subjectAltName=DNS:admin");
  sign({ca.path(), "2", 10, false});
  const auto text = ca.openssl("x509 -in 2.cert -noout -text");
  CHECK(text.find("admin") == std::string::npos);
  CHECK(text.find("CA:TRUE") == std::string::npos);
  CHECK_THAT(text, ContainsSubstring("DNS:2\n"));
}

TEST_CASE("nothing is overwritten without --force") {
  const Ca ca;
  const auto first = ca.issue("1");
  const auto key = ca.read("1.key");
  const auto files = ca.files();
  CHECK(usage_error([&] {
          create_authority({ca.path(), "x", 1, Algorithm::p256});
        }) == (ca / "ca.key") + ": exists already, and a CA is never overwritten");
  CHECK(usage_error([&] { ca.request("1"); }) ==
        (ca / "1.key") + ": exists already, and is never overwritten");
  CHECK(usage_error([&] {
          sign({ca.path(), "1", std::nullopt, false});
        }) == (ca / "1.cert") + ": exists already; --force replaces it with a renewed certificate");
  const auto renewed = sign({ca.path(), "1", std::nullopt, true});
  CHECK(renewed.serial != first.serial);
  CHECK(ca.openssl("x509 -in 1.cert -noout -serial") == "serial=" + renewed.serial + "\n");
  CHECK(ca.read("1.key") == key);
  CHECK(ca.files() == files);
  CHECK(list(ca.path()) == Index{first, renewed});
}

TEST_CASE("an existing CA key, certificate or index is not overwritten") {
  const Scratch scratch;
  const auto* file = GENERATE("ca.key", "ca.cert", "ca.index");
  scratch.write(file, "precious");
  CHECK(usage_error([&] {
          create_authority({scratch.path(), "x", 1, Algorithm::p256});
        }) == (scratch / file) + ": exists already, and a CA is never overwritten");
  CHECK(scratch.files() == Names{file});
  CHECK(scratch.read(file) == "precious");
}

TEST_CASE("a refused signature names its reason and leaves no file") {
  const Ca ca;
  ca.request("1");
  const auto sign_error = [&] {
    return usage_error([&] { sign({ca.path(), "1", std::nullopt, false}); });
  };
  SECTION("no request") {
    CHECK(usage_error([&] {
            sign({ca.path(), "2", std::nullopt, false});
          }) == (ca / "2.csr") + ": cannot be read: No such file or directory");
  }
  SECTION("no CA") {
    std::filesystem::remove(ca / "ca.cert");
    CHECK(sign_error() == (ca / "ca.cert") + ": no CA here; make one with `routevpn pki ca`");
  }
  SECTION("the request is something else") {
    ca.write("1.csr", "hello\n");
    CHECK(sign_error() == (ca / "1.csr") + ": not a certificate request in PEM form");
  }
  SECTION("the request was changed after it was signed") {
    ca.openssl("req -in 1.csr -outform DER -out 1.der");
    auto der = ca.read("1.der");
    der.back() = static_cast<char>(der.back() ^ 1);
    ca.write("1.der", der);
    ca.openssl("req -inform DER -in 1.der -out 1.csr");
    std::filesystem::remove(ca / "1.der");
    CHECK(sign_error() ==
          (ca / "1.csr") +
              ": the signature does not match the key; the file was damaged or changed");
  }
  SECTION("the key is too weak") {
    ca.openssl("req -new -newkey rsa:1024 -nodes -keyout weak.key -out 1.csr -subj /CN=1");
    std::filesystem::remove(ca / "weak.key");
    CHECK(sign_error() == (ca / "1.csr") +
                              ": has an RSA key of 1024 bits; links accept ECDSA P-256 and P-384, "
                              "Ed25519 and RSA of 2048 to 8192 bits");
  }
  SECTION("the curve is not allowed") {
    ca.openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:secp256k1 -nodes -keyout k.key -out 1.csr "
        "-subj /CN=1");
    std::filesystem::remove(ca / "k.key");
    CHECK_THAT(sign_error(), ContainsSubstring("has an ECDSA key of curve secp256k1; links"));
  }
  SECTION("the key is not that of the CA") {
    std::filesystem::copy_file(ca / "1.key", ca / "ca.key",
                               std::filesystem::copy_options::overwrite_existing);
    CHECK(sign_error() == (ca / "ca.key") + ": is not the key of " + (ca / "ca.cert"));
  }
  SECTION("the CA's key is encrypted") {
    ca.openssl("pkey -in ca.key -aes256 -passout pass:secret -out ca.key.new");
    std::filesystem::rename(ca / "ca.key.new", ca / "ca.key");
    CHECK(sign_error() == (ca / "ca.key") + ": is encrypted; decrypt it with `openssl pkey`");
  }
  SECTION("the CA's key is readable by its group or by others") {
    const auto mode = GENERATE(0640U, 0604U);
    std::filesystem::permissions(ca / "ca.key", std::filesystem::perms{mode});
    CHECK(sign_error() == (ca / "ca.key") + ": mode is " + (mode == 0640 ? "0640" : "0604") +
                              "; must be readable by its owner alone (chmod 600 " +
                              (ca / "ca.key") + ")");
  }
  SECTION("another user can change the request") {
    std::filesystem::permissions(ca / "1.csr", std::filesystem::perms{0666});
    CHECK_THAT(sign_error(), ContainsSubstring((ca / "1.csr") + ": mode is 0666; "));
  }
  SECTION("another user can make files in the directory") {
    std::filesystem::permissions(ca.path(), std::filesystem::perms{01777});
    CHECK(sign_error() == "--dir " + ca.path() +
                              ": mode is 1777; must be writable by its owner alone (chmod go-w " +
                              ca.path() + ")");
  }
  SECTION("the CA's certificate is that of a gateway") {
    ca.issue("2");
    std::filesystem::rename(ca / "2.cert", ca / "ca.cert");
    std::filesystem::rename(ca / "2.key", ca / "ca.key");
    CHECK(sign_error() == (ca / "ca.cert") + ": is not a CA's certificate");
  }
  SECTION("the index cannot be read") {
    ca.write("ca.index", "?\n");
    CHECK_THAT(sign_error(), ContainsSubstring((ca / "ca.index") + ":1: expected"));
  }
  CHECK(ca.files().count("1.cert") == 0);
  for (const auto& file : ca.files()) CHECK(file.find(".XX") == std::string::npos);
  CHECK(ca.files().size() <= 6);  // ca.* and 1.* or 2.*, no temporary one
}

TEST_CASE("a certificate does not expire after its CA") {
  const Ca ca(Algorithm::p256, 30);
  ca.request("1");
  CHECK_THAT(
      usage_error([&] {
        sign({ca.path(), "1", 31, false});
      }),
      ContainsSubstring("--days 31: the CA itself ends in ") && ContainsSubstring(" days, at 20"));
  const auto issued = sign({ca.path(), "1", std::nullopt, false});
  const auto authority = parse_certificate(ca.read("ca.cert"), "ca.cert");
  CHECK(issued.not_after == not_after(authority.get()));
}

TEST_CASE("an expired CA signs nothing") {
  const Ca ca(Algorithm::p256, 0);
  ca.request("1");
  CHECK_THAT(usage_error([&] {
               sign({ca.path(), "1", std::nullopt, false});
             }),
             ContainsSubstring((ca / "ca.cert") + ": expired at 20"));
}

TEST_CASE("common names are 1 to 64 printable ASCII characters") {
  for (const auto& bad :
       std::vector<std::string>{"", "a\nb", "caf\xc3\xa9", std::string(65, 'x')}) {
    CAPTURE(bad);
    CHECK(usage_error([&] { require_common_name(bad); }) ==
          "must be 1 to 64 printable ASCII characters");
  }
  CHECK(usage_error([] { require_common_name("Example Ltd. / VPN, CA"); }).empty());
}
