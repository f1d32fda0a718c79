#include "routevpn/datapath/prefix_set.hpp"

#include <array>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::datapath;

TEST_CASE("a prefix set contains the addresses of its prefixes and no others") {
  const std::array prefixes = {
      *IpPrefix::parse("10.1.0.0/16"),  *IpPrefix::parse("10.1.2.0/24"),
      *IpPrefix::parse("192.0.2.7"),    *IpPrefix::parse("2001:db8::/32"),
      *IpPrefix::parse("fe80::/10"),    *IpPrefix::parse("2001:db8:1::/48"),
      *IpPrefix::parse("2001:db9::/72")};
  const PrefixSet set{prefixes};
  const auto has = [](const PrefixSet& in, const char* text) {
    return in.contains(*IpAddress::parse(text));
  };
  for (const char* inside : {"10.1.0.0", "10.1.2.3", "10.1.255.255", "192.0.2.7",
                             "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                             "2001:db8:1::5", "febf::1", "2001:db9::ff:ffff:ffff:ffff"}) {
    CAPTURE(inside);
    CHECK(has(set, inside));
  }
  for (const char* outside :
       {"10.0.255.255", "10.2.0.0", "192.0.2.6", "192.0.2.8", "0.0.0.0", "255.255.255.255",
        "2001:db7:ffff::", "2001:db9:0:0:100::", "fec0::", "::", "ffff::"}) {
    CAPTURE(outside);
    CHECK_FALSE(has(set, outside));
  }
  const std::array all = {*IpPrefix::parse("0.0.0.0/0"), *IpPrefix::parse("::/0")};
  CHECK(has(PrefixSet(all), "255.255.255.255"));
  CHECK(has(PrefixSet(all), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  CHECK(PrefixSet().empty());
}
