#include "routevpn/pki/index.hpp"

#include <string>
#include <vector>

#include "catch.hpp"
#include "scratch.hpp"

using namespace routevpn;
using namespace routevpn::pki;

TEST_CASE("an index can be written and read back") {
  const Index index = {
      {"5B3C91", "V1-1", *parse_time("2026-11-21T20:39:00Z"), std::nullopt},
      {"1F00A7", "gw_2.example", *parse_time("9999-12-31T23:59:59Z"),
       parse_time("2026-01-03T08:00:00Z")},
  };
  const auto text = format_index(index);
  CHECK(text ==
        "# serial name not-after status [revoked-at]\n"
        "5B3C91 V1-1 2026-11-21T20:39:00Z issued\n"
        "1F00A7 gw_2.example 9999-12-31T23:59:59Z revoked 2026-01-03T08:00:00Z\n");
  CHECK(parse_index(text, "ca.index") == index);
  CHECK(parse_index("", "ca.index").empty());
}

TEST_CASE("a malformed line is reported with its number") {
  const auto* line =
      GENERATE("5B3C V1-1 2026-11-21T20:39:00Z", "5B3C V1-1 2026-11-21 issued",
               "5b3c V1-1 2026-11-21T20:39:00Z issued", "XYZ V1-1 2026-11-21T20:39:00Z issued",
               "5B3C ../x 2026-11-21T20:39:00Z issued", "5B3C V1-1 2026-11-21T20:39:00Z revoked",
               "5B3C V1-1 2026-11-21T20:39:00Z revoked soon", "5B3C V1-1 2026-11-21T20:39:00Z lost",
               "5B3C V1-1 2026-11-21T20:39:00Z issued 2026-01-03T08:00:00Z",
               "5B3C V1-1 2026-11-21T20:39:00Z revoked 2026-01-03T08:00:00Z more");
  CAPTURE(line);
  const std::string text = "# serial\n\n" + std::string(line) + "\n";
  CHECK(usage_error([&] { parse_index(text, "d/ca.index"); }) ==
        "d/ca.index:3: expected 'SERIAL NAME NOT-AFTER issued' or "
        "'SERIAL NAME NOT-AFTER revoked TIME'");
}

TEST_CASE("a certificate is valid up to its last second") {
  const auto end = *parse_time("2026-11-21T20:39:00Z");
  IssuedCertificate entry{"1", "a", end, std::nullopt};
  CHECK(entry.status(end) == Status::valid);
  CHECK(entry.status(end + std::chrono::seconds{1}) == Status::expired);
  entry.revoked_at = end;
  CHECK(entry.status(end + std::chrono::seconds{1}) == Status::revoked);
}

TEST_CASE("names fit DNS, a path and a subject") {
  for (const auto& good :
       std::vector<std::string>{"1", "V1-1", "gw.example.org", "a_b", "CA", std::string(64, 'x')}) {
    CAPTURE(good);
    CHECK(usage_error([&] { require_name(good); }).empty());
  }
  for (const auto& bad : std::vector<std::string>{"", "..", ".a", "-a", "_a", "a/b", "a b", "a,b",
                                                  "a\nb", "\xc3\xa9", std::string(65, 'x')}) {
    CAPTURE(bad);
    CHECK(usage_error([&] { require_name(bad); }) ==
          "must be 1 to 64 letters, digits, '.', '-' or '_', and begin with a letter or digit");
  }
  CHECK(usage_error([] { require_name("ca"); }) ==
        "is taken: ca.key and ca.cert are the CA's own files");
}

TEST_CASE("serials are accepted as openssl prints them") {
  CHECK(parse_serial("5b3c91") == "5B3C91");
  CHECK(parse_serial("5b:3C:91") == "5B3C91");
  CHECK(usage_error([] { parse_serial("0x5b"); }) ==
        "must be hex digits, as `routevpn pki list` prints them");
  CHECK(usage_error([] { parse_serial(""); }) ==
        "must be 1 to 40 hex digits, as `routevpn pki list` prints them");
  CHECK_FALSE(usage_error([] { parse_serial(std::string(41, 'A')); }).empty());
}

TEST_CASE("times are read as RFC 3339 in UTC") {
  CHECK(parse_time("2023-11-14T22:13:20Z")->time_since_epoch().count() == 1'700'000'000);
  CHECK(parse_time("2023-11-14T22:13:20.042Z")->time_since_epoch().count() == 1'700'000'000);
  CHECK(to_text(TimePoint{std::chrono::seconds{1'700'000'000}}) == "2023-11-14T22:13:20Z");
  for (const auto* bad :
       {"", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13:20+01:00",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20.1", "2023-13-14T22:13:20Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time(bad));
  }
}
