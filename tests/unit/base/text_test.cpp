#include "routevpn/base/text.hpp"

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("printable keeps UTF-8 and escapes control characters") {
  CHECK(printable("").empty());
  CHECK(printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(printable("a\nb\x1b[2J\x7f") == "a\\x0ab\\x1b[2J\\x7f");
  // U+009B is a control sequence introducer, as ESC [ is. U+00A0 is a space.
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\xc2\\x9b2J");
  CHECK(printable("\xc2\x80\xc2\x9f\xc2\xa0") == "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("printable escapes what is not UTF-8") {
  CHECK(printable("\x9b") == "\\x9b");                             // a continuation byte alone
  CHECK(printable("\xc3") == "\\xc3");                             // cut off
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");                    // cut off
  CHECK(printable("\xe2\x82z") == "\\xe2\\x82z");                  // no continuation
  CHECK(printable("\xc0\x8a") == "\\xc0\\x8a");                    // an overlong line feed
  CHECK(printable("\xe0\x82\x9b") == "\\xe0\\x82\\x9b");           // an overlong U+009B
  CHECK(printable("\xf0\x80\x82\x9b") == "\\xf0\\x80\\x82\\x9b");  // an overlong U+009B
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  CHECK(printable("\xf5\x80\x80\x80\xff") == "\\xf5\\x80\\x80\\x80\\xff");
}

TEST_CASE("a name is shown with 64 characters at most, and a mark where it was cut") {
  CHECK(shortened("V3-1") == "V3-1");
  CHECK(shortened("").empty());
  CHECK(shortened(std::string(64, 'x')) == std::string(64, 'x'));
  CHECK(shortened(std::string(65, 'x')) == std::string(61, 'x') + "...");
  CHECK(shortened(std::string(60'000, 'x')).size() == 64);
}

TEST_CASE("times are RFC 3339 in UTC, with milliseconds or without") {
  using std::chrono::milliseconds, std::chrono::system_clock;
  const system_clock::time_point at{milliseconds(1'700'000'000'042)};
  CHECK(rfc3339(at) == "2023-11-14T22:13:20.042Z");
  CHECK(rfc3339(at, Fraction::none) == "2023-11-14T22:13:20Z");
  const system_clock::time_point before_1970{milliseconds(-1)};
  CHECK(rfc3339(before_1970) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339(before_1970, Fraction::none) == "1969-12-31T23:59:59Z");
}

TEST_CASE("interface names are narrower than the kernel's") {
  for (const auto* good : {"r", "rv1-2", "wan.100", "_", "lo", "a23456789012345"}) {
    CAPTURE(good);
    CHECK(is_interface_name(good));
    CHECK(is_interface_pattern(good));
  }
  for (const auto* bad : {"", "-v", ".", "..", "all", "default", "a b", "a/b", "a:b", "a\n",
                          "v\xc3\xa9", "a234567890123456", "a%", "%s", "%d%d"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_interface_name(bad));
    CHECK_FALSE(is_interface_pattern(bad));
  }
  for (const auto* pattern : {"vpn%d", "%d", "a%db", "a2345678901234%d"}) {
    CAPTURE(pattern);
    CHECK_FALSE(is_interface_name(pattern));
    CHECK(is_interface_pattern(pattern) == (std::string_view(pattern).size() <= 15));
  }
}
