#include "routevpn/pki/certificate.hpp"

#include "catch.hpp"
#include "scratch_ca.hpp"

using namespace routevpn;
using namespace routevpn::pki;

TEST_CASE("a revoked certificate is in the CRL, also after its file was removed") {
  const Ca ca;
  const auto first = ca.issue("1");
  ca.issue("2");
  const auto renewed = sign({ca.path(), "1", std::nullopt, true});
  std::filesystem::remove(ca / "1.cert");
  const auto revocation = revoke({ca.path(), "1", "", 30});
  CHECK(revocation.revoked.size() == 2);
  CHECK(revocation.revoked_in_all == 2);
  const auto text = ca.openssl("crl -in ca.crl -noout -text -CAfile ca.cert");
  CHECK_THAT(text, ContainsSubstring("verify OK") && ContainsSubstring(first.serial) &&
                       ContainsSubstring(renewed.serial) && ContainsSubstring("CRL Number") &&
                       ContainsSubstring("Authority Key Identifier") &&
                       ContainsSubstring("ecdsa-with-SHA256"));
  CHECK(ca.openssl(std::string(strict) + "-crl_check -CRLfile ca.crl 2.cert") == "2.cert: OK\n");
  CHECK(list(ca.path())[0].status(now()) == Status::revoked);
  CHECK(list(ca.path())[1].status(now()) == Status::valid);

  revoke({ca.path(), "2", "", 30});
  CHECK_THROWS_WITH(ca.openssl(std::string(strict) + "-crl_check -CRLfile ca.crl 2.cert"),
                    ContainsSubstring("certificate revoked"));
  CHECK_THAT(ca.openssl("crl -in ca.crl -noout -text"), ContainsSubstring(first.serial));
}

TEST_CASE("a serial revokes one certificate") {
  const Ca ca;
  const auto first = ca.issue("1");
  const auto renewed = sign({ca.path(), "1", std::nullopt, true});
  revoke({ca.path(), "", first.serial, 30});
  const auto index = list(ca.path());
  CHECK(index[0].status(now()) == Status::revoked);
  CHECK(index[1] == renewed);
  CHECK(ca.openssl(std::string(strict) + "-crl_check -CRLfile ca.crl 1.cert") == "1.cert: OK\n");
}

TEST_CASE("the CRL can be renewed without a revocation, each time with a higher number") {
  const Ca ca;
  const auto number = [&] {
    return number_of(parse_revocation_list(ca.read("ca.crl"), "ca.crl").get());
  };
  CHECK(revoke({ca.path(), "", "", 7}).revoked_in_all == 0);
  const auto first = number();
  CHECK(first > 0);
  revoke({ca.path(), "", "", 7});
  const auto second = number();
  CHECK(second > first);
  std::filesystem::remove(ca / "ca.crl");
  revoke({ca.path(), "", "", 7});
  CHECK(number() >= first);
}

TEST_CASE("a revocation without --days does not shorten the time of the CRL") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  const auto end = revoke({ca.path(), "", "", 3000}).next_update;
  CHECK(revoke({ca.path(), "1", "", {}}).next_update == end);
  CHECK(revoke({ca.path(), "2", "", 7}).next_update < now() + std::chrono::days(8));
  CHECK(revoke({ca.path(), "", "", {}}).next_update > now() + std::chrono::days(29));
}

TEST_CASE("the CRL is current until it ends, while it has all revoked certificates") {
  const Ca ca;
  ca.issue("1");
  CHECK_FALSE(has_revocation_list(ca.path(), now()));
  revoke({ca.path(), "", "", 10});
  CHECK(has_revocation_list(ca.path(), now() + std::chrono::days(9)));
  CHECK_FALSE(has_revocation_list(ca.path(), now() + std::chrono::days(11)));
  const auto without = ca.read("ca.crl");
  revoke({ca.path(), "1", "", 10});
  CHECK(has_revocation_list(ca.path(), now()));
  ca.write("ca.crl", without);  // a crash came between ca.index and ca.crl
  CHECK_FALSE(has_revocation_list(ca.path(), now()));
  const Ca other;
  revoke({other.path(), "", "", 10});
  ca.write("ca.crl", other.read("ca.crl"));
  CHECK_FALSE(has_revocation_list(ca.path(), now()));
}

TEST_CASE("a refused revocation names its reason and changes nothing") {
  const Ca ca;
  const auto issued = ca.issue("1");
  CHECK(usage_error([&] {
          revoke({ca.path(), "2", "", 30});
        }) == "--name 2: no such certificate in ca.index, see `routevpn pki list`");
  CHECK(usage_error([&] {
          revoke({ca.path(), "", "AB", 30});
        }) == "--serial AB: no such certificate in ca.index, see `routevpn pki list`");
  CHECK(ca.files().count("ca.crl") == 0);
  revoke({ca.path(), "1", "", 30});
  const auto before = ca.read("ca.crl");
  CHECK(usage_error([&] {
          revoke({ca.path(), "1", "", 30});
        }) == "--name 1: is revoked or expired already");
  CHECK(usage_error([&] {
          revoke({ca.path(), "", issued.serial, 30});
        }) == "--serial " + issued.serial + ": is revoked already");
  CHECK(ca.read("ca.crl") == before);
}

TEST_CASE("without the index that the CRL came from, nothing is revoked, signed or renewed") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  ca.request("3");
  const auto serial = revoke({ca.path(), "1", "", 30}).revoked.front().serial;
  const auto index = ca.read("ca.index");
  std::string reason;
  SECTION("missing") {
    std::filesystem::remove(ca / "ca.index");
    reason = ": is missing, and it lists";
  }
  SECTION("empty") {
    ca.write("ca.index", "");
    reason = ": is empty, and it lists";
  }
  SECTION("without the revocation") {
    ca.write("ca.index", format_index({}));
    reason = ": lacks the revocation of serial " + serial;
  }
  SECTION("from a time before the revocation") {
    ca.write("ca.index", index.substr(0, index.find(" revoked")) + " issued\n");
    reason = ": lacks the revocation of serial " + serial;
  }
  const auto list_before = ca.read("ca.crl");
  const auto lost = ca.read("ca.index");
  const auto files = ca.files();
  const auto refused = Catch::Matchers::StartsWith((ca / "ca.index") + reason);
  CHECK_THAT(usage_error([&] { revoke({ca.path(), "", "", {}}); }), refused);
  CHECK_THAT(usage_error([&] { revoke({ca.path(), "2", "", {}}); }), refused);
  CHECK_THAT(usage_error([&] { sign({ca.path(), "3", {}, false}); }), refused);
  CHECK_THAT(usage_error([&] {
               renew({ca.path(), {}, ""}, now() + std::chrono::days(25));
             }),
             refused);
  CHECK_THAT(usage_error([&] { require_authority(ca.path()); }), refused);
  CHECK(ca.files() == files);
  CHECK(ca.read("ca.crl") == list_before);
  CHECK(ca.read("ca.index") == lost);
}

TEST_CASE("without the CA's key and index, the CRL says what is revoked") {
  const Ca ca;
  ca.issue("1");
  ca.issue("2");
  revoke({ca.path(), "1", "", 30});
  std::filesystem::remove(ca / "ca.key");
  std::filesystem::remove(ca / "ca.index");
  CHECK(usage_error([&] { require_valid(ca.path(), "2"); }).empty());
  CHECK_THAT(usage_error([&] { require_valid(ca.path(), "1"); }), ContainsSubstring("is revoked"));
  CHECK(has_revocation_list(ca.path(), now()));
  CHECK_THAT(usage_error([&] { list(ca.path()); }), ContainsSubstring("ca.index: is missing"));
}
