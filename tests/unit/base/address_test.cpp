#include "routevpn/base/address.hpp"

#include <netinet/in.h>

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("addresses parse and print") {
  CHECK(IpAddress::parse("192.0.2.1")->to_string() == "192.0.2.1");
  CHECK(IpAddress::parse("2001:db8:0:0::1")->to_string() == "2001:db8::1");
  CHECK(IpAddress::parse("192.0.2.1")->is_v4());
  for (const auto* bad : {"", "192.0.2", "192.0.2.256", "2001:db8::1::2", "[::1]", "fe80::1%eth0",
                          "host", "192.0.2.1 "}) {
    CAPTURE(bad);
    CHECK_FALSE(IpAddress::parse(bad));
  }
}

TEST_CASE("prefixes parse, contain and keep host bits") {
  const auto interconnect = *IpPrefix::parse("10.1.2.230/30");
  CHECK(interconnect.to_string() == "10.1.2.230/30");
  CHECK(interconnect.network().to_string() == "10.1.2.228/30");
  CHECK(interconnect.contains(*IpAddress::parse("10.1.2.229")));
  CHECK_FALSE(interconnect.contains(*IpAddress::parse("10.1.2.232")));
  CHECK_FALSE(interconnect.contains(*IpAddress::parse("::ffff:10.1.2.229")));
  CHECK(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("203.0.113.9")));
  CHECK(IpPrefix::parse("2001:db8::1")->length == 128);
  CHECK(IpPrefix::parse("2001:db8::/65")->contains(*IpAddress::parse("2001:db8::7fff:0:0:0")));
  CHECK_FALSE(
      IpPrefix::parse("2001:db8::/65")->contains(*IpAddress::parse("2001:db8::8000:0:0:0")));
  for (const auto* bad :
       {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "::/129", "/8"}) {
    CAPTURE(bad);
    CHECK_FALSE(IpPrefix::parse(bad));
  }
}

TEST_CASE("socket addresses survive the kernel's form, mapped ones become plain IPv4") {
  for (const auto* text : {"192.0.2.1", "2001:db8::1"}) {
    const SocketAddress address{*IpAddress::parse(text), 7754};
    sockaddr_storage storage{};
    CHECK(address.to_kernel(storage, AF_INET6) == sizeof(sockaddr_in6));
    CHECK(storage.ss_family == AF_INET6);
    CHECK(SocketAddress::from_kernel(storage) == address);
  }
  const SocketAddress v4{*IpAddress::parse("192.0.2.1"), 7754};
  sockaddr_storage storage{};
  CHECK(v4.to_kernel(storage, AF_INET) == sizeof(sockaddr_in));
  CHECK(SocketAddress::from_kernel(storage) == v4);
  CHECK(v4.to_string() == "192.0.2.1:7754");
  CHECK(SocketAddress{*IpAddress::parse("2001:db8::1"), 1}.to_string() == "[2001:db8::1]:1");
}
