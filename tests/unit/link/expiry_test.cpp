#include "routevpn/link/expiry.hpp"

#include "catch.hpp"
#include "test_pki.hpp"

using namespace routevpn::link;
using routevpn::test::make_identity;
using routevpn::test::TestCa;
using namespace std::chrono_literals;
using Kind = Ending::Kind;

namespace {

constexpr auto day = 24h;

Ending ending_of(Kind kind, WallTime begin, WallTime end, std::chrono::hours grace = 0h) {
  return {kind, "V1-1", begin, end, end + grace};
}

}  // namespace

TEST_CASE("the watch warns each day from the last third of the lifetime on") {
  EndWatch watch;
  const WallTime issued(1000 * day);
  const auto ending = ending_of(Kind::own_certificate, issued, issued + 30 * day);
  int warnings = 0;
  std::optional<int> first_day;
  for (int hour = 0; hour < 35 * 24; ++hour) {
    if (!watch.warn(ending, issued + hour * 1h)) continue;
    if (!first_day) first_day = hour / 24;
    ++warnings;
  }
  CHECK(first_day == 20);
  CHECK(warnings >= 15);  // once a day in 15 days, 5 of them after the end
  CHECK(warnings <= 16);
}

TEST_CASE("each credential is warned of by itself, and a renewed one by its own dates") {
  EndWatch watch;
  const WallTime issued(1000 * day);
  const auto now = issued + 25 * day;
  const auto own = ending_of(Kind::own_certificate, issued, issued + 30 * day);
  const auto peers = ending_of(Kind::peer_certificate, issued, issued + 30 * day);
  CHECK(watch.warn(own, now));
  CHECK(watch.warn(peers, now));
  CHECK_FALSE(watch.warn(own, now + 1h));
  CHECK_FALSE(watch.warn(ending_of(Kind::own_certificate, now, now + 30 * day), now + 2h));
  CHECK(watch.warn(ending_of(Kind::own_certificate, now - 9 * day, now + 1h), now + 2h));
  CHECK(watch.warn(own, now - 1h));  // the clock was set back
}

TEST_CASE("two CAs of one name are warned of once a day") {
  EndWatch watch;
  const WallTime now(1000 * day);
  const auto old = ending_of(Kind::authority, now - 30 * day, now + 1 * day);
  const auto next = ending_of(Kind::authority, now - 30 * day, now + 2 * day);
  CHECK(watch.warn(old, now));
  CHECK(watch.warn(next, now));
  CHECK_FALSE(watch.warn(old, now + 1h));
  CHECK_FALSE(watch.warn(next, now + 1h));
}

TEST_CASE("an end when system_clock ends has no overflow") {
  const auto ending = ending_of(Kind::revocation_list, WallTime::min(), WallTime::max());
  CHECK_FALSE(ends_soon(ending, WallTime(1000 * day)));
  CHECK(warning_of(ending, WallTime(1000 * day)).find(" ends in ") != std::string::npos);
}

TEST_CASE("a warning has the time that is left, and of a CRL what follows") {
  const WallTime now(1000 * day);
  const auto text = [&](Kind kind, auto left, std::chrono::hours grace = 0h) {
    return warning_of(ending_of(kind, now - 90 * day, now + left, grace), now);
  };
  CHECK(text(Kind::own_certificate, 12 * day + 5h) ==
        "the certificate of this gateway, V1-1, ends in 12 days");
  CHECK(text(Kind::peer_certificate, 47h) == "the certificate of the peer, V1-1, ends in 47 hours");
  CHECK(text(Kind::authority, 1h) == "the CA V1-1 ends in 1 hour");
  CHECK(text(Kind::authority, 0s) == "the CA V1-1 has expired");
  CHECK(text(Kind::revocation_list, 2 * day) == "the CRL V1-1 ends in 2 days");
  CHECK(text(Kind::revocation_list, -1 * day, 30 * day) ==
        "the CRL V1-1 has expired: it stays in force for 29 days more, then every peer is refused");
  CHECK(text(Kind::revocation_list, -30 * day, 30 * day) ==
        "the CRL V1-1 has expired: every peer is refused");
}

TEST_CASE("certificate, peer, CAs and CRL have an end") {
  TestCa ca;
  const auto own = ca.issue({.name = "V1-1", .ends_in_days = 100});
  const auto identity = make_identity(own, ca.certificate(), "*", "", ca.revoke({}, 30));
  auto peer = identity->certificate();
  peer.name = "V2-1";
  const auto all = endings_of(*identity, "ca.crl", peer);
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "V1-1");
  CHECK(all[0].end - all[0].begin == 101 * day);
  CHECK(all[1].name == "V2-1");
  CHECK(all[2].name == "CN=Test CA");
  CHECK(all[3].name == "ca.crl");
  CHECK(all[3].end - all[3].begin == 90 * day);
  CHECK(all[3].in_force_until == all[3].end);
  CHECK(endings_of(*identity, "ca.crl", std::nullopt).size() == 3);
}
