#include "routevpn/pki/certificate.hpp"

#include "catch.hpp"
#include "scratch_ca.hpp"

using namespace routevpn;
using namespace routevpn::pki;
using std::chrono::days;
using std::chrono::seconds;

namespace {

Certificate certificate_of(const Ca& ca, const std::string& name) {
  return parse_certificate(ca.read(name + ".cert"), name);
}

Renewal renew_in(const Ca& ca, days later, std::optional<int> before = {},
                 const std::string& name = "") {
  return renew({ca.path(), before, name}, now() + later);
}

}  // namespace

TEST_CASE("certificates of the default lifetime are spread by 10 percent") {
  const Ca ca;
  ca.request("1");
  seconds least = days(1000);
  seconds most{0};
  for (int i = 0; i < 40; ++i) {
    const auto end = sign({ca.path(), "1", std::nullopt, true}).not_after - now();
    CHECK(end >= days(365 - 37));
    CHECK(end <= days(365 + 37));
    least = std::min<seconds>(least, end);
    most = std::max<seconds>(most, end);
  }
  CHECK(most - least > days(20));  // fails once in 10^10 runs
  CHECK(sign({ca.path(), "1", 100, true}).not_after <= now() + days(100));
}

TEST_CASE("the spread does not go beyond the CA's end") {
  const Ca ca(Algorithm::p256, 330);
  ca.request("1");
  const auto end = not_after(parse_certificate(ca.read("ca.cert"), "ca.cert").get());
  for (int i = 0; i < 20; ++i) CHECK(sign({ca.path(), "1", std::nullopt, true}).not_after <= end);
}

TEST_CASE("a certificate is renewed in the last third of its life, once") {
  const Ca ca;
  const auto old = ca.issue("1");
  const seconds lifetime = old.not_after - now();
  const auto early = renew({ca.path(), {}, ""}, old.not_after - lifetime / 3 - days(2));
  CHECK(early.certificates.empty());
  REQUIRE(early.next);
  CHECK(early.next->first == "1.cert");
  CHECK(early.next->second - (old.not_after - lifetime / 3) < seconds(5));
  const auto at = old.not_after - lifetime / 3 + days(1);
  const auto renewal = renew({ca.path(), {}, ""}, at);
  REQUIRE(renewal.certificates.size() == 1);
  CHECK(renewal.faults.empty());
  const auto made = certificate_of(ca, "1");
  CHECK(serial_of(made.get()) == renewal.certificates[0].serial);
  CHECK(not_after(made.get()) - at >= days(365 - 37));
  CHECK(list(ca.path()).size() == 2);
  CHECK(renew({ca.path(), {}, ""}, at).certificates.empty());
  CHECK(list(ca.path()).size() == 2);
  CHECK(ca.openssl("verify -no_check_time -CAfile ca.cert 1.cert") == "1.cert: OK\n");
}

TEST_CASE("--before and --name choose the certificates") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  CHECK(renew_in(ca, days(0), 20).certificates.empty());
  CHECK(renew_in(ca, days(300), 200, "2").certificates.size() == 1);
  CHECK(renew_in(ca, days(300), 200, "2").certificates.empty());
  CHECK(renew_in(ca, days(300), 200).certificates.size() == 1);  // the other one
  CHECK(usage_error([&] {
          renew({ca.path(), {}, "3"});
        }) == "--name 3: no such certificate in ca.index, see `routevpn pki list`");
}

TEST_CASE("an expired certificate is renewed, a revoked one is not") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  revoke({ca.path(), "2", "", 30});
  const auto renewal = renew_in(ca, days(500));
  REQUIRE(renewal.certificates.size() == 1);
  CHECK(renewal.certificates[0].name == "1");
  CHECK_THAT(usage_error([&] {
               renew({ca.path(), {}, "2"});
             }),
             ContainsSubstring("--name 2: is revoked"));
}

TEST_CASE("without the request the key is that of the old certificate") {
  const Ca ca;
  ca.issue("1");
  const auto old = certificate_of(ca, "1");
  std::filesystem::remove(ca / "1.csr");
  CHECK(renew_in(ca, days(300)).certificates.size() == 1);
  const auto made = certificate_of(ca, "1");
  CHECK(EVP_PKEY_eq(X509_get0_pubkey(old.get()), X509_get0_pubkey(made.get())) == 1);
  CHECK(serial_of(old.get()) != serial_of(made.get()));
}

TEST_CASE("what cannot be renewed is named, and does not keep the others") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  std::filesystem::remove(ca / "1.csr");
  std::filesystem::remove(ca / "1.cert");
  const auto renewal = renew_in(ca, days(300));
  CHECK(renewal.certificates.size() == 1);
  REQUIRE(renewal.faults.size() == 1);
  CHECK(renewal.faults[0] == (ca / "1.csr") +
                                 ": is missing, and so is 1.cert; the renewal needs "
                                 "the public key of one of them");
}

TEST_CASE("a lifetime that --days gave stays") {
  const Ca ca;
  ca.request("1");
  sign({ca.path(), "1", 30, false});
  const auto at = now() + days(25);
  const auto renewal = renew({ca.path(), {}, ""}, at);
  REQUIRE(renewal.certificates.size() == 1);
  CHECK(renewal.certificates[0].not_after - at > days(29));
  CHECK(renewal.certificates[0].not_after - at <= days(30));
}

TEST_CASE("near the CA's end nothing is renewed again and again") {
  const Ca ca(Algorithm::p256, 400);
  ca.request("1");
  sign({ca.path(), "1", 365, false});  // a drawn lifetime can reach the CA's end
  const auto first = renew_in(ca, days(300));
  REQUIRE(first.certificates.size() == 1);
  CHECK(first.authority_end == first.certificates[0].not_after);
  const auto second = renew_in(ca, days(390));
  CHECK(second.certificates.empty());
  CHECK(second.authority_end == first.authority_end);
}

TEST_CASE("the CRL is renewed after two thirds of its life, for the same time") {
  const Ca ca;
  ca.issue("1");
  CHECK_FALSE(renew_in(ca, days(0)).next_update);
  CHECK(ca.files().count("ca.crl") == 0);  // none is made where none was
  revoke({ca.path(), "1", "", 30});
  CHECK_FALSE(renew_in(ca, days(19)).next_update);
  CHECK_FALSE(renew_in(ca, days(21), {}, "").certificates.size());
  const auto crl = parse_revocation_list(ca.read("ca.crl"), "ca.crl");
  CHECK(next_update(crl.get()) - now() > days(50));
  CHECK(next_update(crl.get()) - now() <= days(51));
  CHECK(entries_of(crl.get()) == 1);
  CHECK_FALSE(renew_in(ca, days(21)).next_update);
  CHECK(renew_in(ca, days(21 + 100)).next_update);  // the timer was off: it has expired
}
