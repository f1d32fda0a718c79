#include "routevpn/options/values.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::options;

namespace {

struct Refused {
  const char* option;
  const char* value;
  const char* because;
};

constexpr auto host_form = "must be HOST or HOST:PORT, with an IPv6 address in brackets";
constexpr auto listen_form = "must be PORT or ADDRESS:PORT, with an IPv6 address in brackets";
constexpr auto ifname_form =
    "must be 1 to 15 letters, digits, '_', '.' and '-' ('-' not first), and not \"all\" or "
    "\"default\"; '%d' becomes a number";
constexpr auto address_form = "must be ADDRESS/LENGTH, like 10.1.2.230/30 or 2001:db8:ff::5/127";
constexpr auto network_form =
    "must be ADDRESS/LENGTH or one address, like 10.0.0.0/8 or 2001:db8::/32";
constexpr auto accept_form =
    "must be ADDRESS/LENGTH or one address, like 10.0.0.0/8 or 2001:db8::/32, or routed";
constexpr auto port_range = "port must be 1 to 65535";
constexpr auto period_range = "must be 10 to 600000 milliseconds";

}  // namespace

TEST_CASE("a value that is refused is one line with option, value and what is allowed") {
  const auto refused = GENERATE(values<Refused>({
      {"peer", "vpn example", host_form},
      {"peer", ":7754", host_form},
      {"peer", "192.0.2.256", "is not an IPv4 address"},
      {"peer", "192.0.2.1:0", port_range},
      {"peer", "192.0.2.1:65536", port_range},
      {"peer", "192.0.2.1:", port_range},
      {"peer", "vpn.example:http", port_range},
      {"peer", "2001:db8::1", "needs its IPv6 address in brackets: [ADDRESS]:PORT"},
      {"peer", "[2001:db8::1", "has no closing bracket"},
      {"peer", "[192.0.2.1]:1", "has no IPv6 address in its brackets"},
      {"peer", "[fe80::1%]:1", "has no IPv6 address in its brackets"},
      {"peer", "[2001:db8::1]1", "must have ':PORT' or nothing behind the bracket"},
      {"peer", "[2001:db8::1]:", port_range},
      {"listen", "vpn.example:1", listen_form},
      {"listen", "192.0.2.1", listen_form},
      {"listen", "[::1]", listen_form},
      {"listen", ":1", listen_form},
      {"listen", "0", port_range},
      {"listen", "-1", port_range},
      {"listen", "::1:5", "needs its IPv6 address in brackets: [ADDRESS]:PORT"},
      {"ifname", "a/b", ifname_form},
      {"ifname", "a b", ifname_form},
      {"ifname", "..", ifname_form},
      {"ifname", "sixteen-letters-", ifname_form},
      {"ifname", "rv%s", ifname_form},
      {"ifname", "rv%d%d", ifname_form},
      {"ifname", "rv%", ifname_form},
      {"address", "10.1.2.230", address_form},
      {"address", "10.1.2.230/33", address_form},
      {"address", "host/30", address_form},
      {"address", "0.0.0.0/8",
       "cannot be the address of an interface: it is the unspecified address"},
      {"address", "10.0.0.1/0",
       "cannot be the address of an interface: it is in a network of all addresses"},
      {"address", "224.0.0.1/4",
       "cannot be the address of an interface: it is a multicast or reserved address"},
      {"address", "ff02::1/64",
       "cannot be the address of an interface: it is a multicast or reserved address"},
      {"address", "::/64", "cannot be the address of an interface: it is the unspecified address"},
      {"address", "10.0.0.0/30",
       "cannot be the address of an interface: it is the address of its network"},
      {"address", "10.0.0.3/30",
       "cannot be the address of an interface: it is the broadcast address of its network"},
      {"address", "10.255.255.255/8",
       "cannot be the address of an interface: it is the broadcast address of its network"},
      {"address", "2001:db8::/126",
       "cannot be the address of an interface: it is the subnet-router anycast address of its "
       "network"},
      {"route", "10.0.0.0/", network_form},
      {"route", "default", network_form},
      {"route", "10.0.0.1/8", "has bits behind its length; the network is 10.0.0.0/8"},
      {"allow", "2001:db8::1/64", "has bits behind its length; the network is 2001:db8::/64"},
      {"accept", "default", accept_form},
      {"accept", "Routed", accept_form},
      {"accept", "10.0.0.1/8", "has bits behind its length; the network is 10.0.0.0/8, or routed"},
      {"mtu", "575", "must be 576 to 16384 bytes, or auto"},
      {"mtu", "16385", "must be 576 to 16384 bytes, or auto"},
      {"mtu", "1400b", "must be 576 to 16384 bytes, or auto"},
      {"detection", "quick", "must be fast, normal or patient"},
      {"keepalive", "9", period_range},
      {"keepalive", "600001", period_range},
      {"keepalive", "1.5", period_range},
      {"dead-after", "", period_range},
      {"dead-after", "99999999999999999999", period_range},
      {"up-delay", "60001", "must be 0 to 60000 milliseconds"},
      {"up-delay", "-1", "must be 0 to 60000 milliseconds"},
      {"rekey", "9", "must be 10 to 86400 seconds"},
      {"rekey", "-3600", "must be 10 to 86400 seconds"},
      {"lanes", "0", "must be 1 to 16"},
      {"lanes", "17", "must be 1 to 16"},
      {"rekey-records", "9999", "must be 10000 to 8388608 records"},
      {"rekey-records", "8388609", "must be 10000 to 8388608 records"},
      {"table", "main", "must be 1 to 4294967295"},
      {"fwmark", "0", "must be 1 to 4294967295"},
      {"fwmark", "0x", "must be 1 to 4294967295"},
      {"fwmark", "0x1ffffffff", "must be 1 to 4294967295"},
      {"crypto", "gnutls", "must be auto, openssl or ipsec-mb"},
      {"log-level", "loud", "must be error, warning, info or debug"},
      {"log-format", "xml", "must be text or json"},
      {"cert", "", "must not be empty"},
      {"on-state", "a\nb", "must not hold control characters"},
      {"peer-name", "\x1b[1m", "must not hold control characters"},
  }));
  CAPTURE(refused.option, refused.value);
  const std::string option = refused.option;
  std::vector<std::string> arguments = {"--" + option, refused.value};
  if (option != "peer" && option != "listen") arguments.insert(arguments.end(), {"--listen", "1"});
  if (option != "peer-name") arguments.insert(arguments.end(), {"--peer-name", "b"});
  if (option == "table") arguments.insert(arguments.end(), {"--route", "10.0.0.0/8"});
  CHECK(parse(arguments).faults ==
        Lines{"--" + option + " " + refused.value + ": " + refused.because});
}

TEST_CASE("addresses of peers are read and written") {
  CHECK(parse_peer("vpn.example.org") == PeerAddress{"vpn.example.org", 7754});
  CHECK(parse_peer("vpn.example.org:1") == PeerAddress{"vpn.example.org", 1});
  CHECK(parse_peer("192.0.2.1:65535") == PeerAddress{"192.0.2.1", 65535});
  CHECK(parse_peer("[2001:db8::1]") == PeerAddress{"2001:db8::1", 7754});
  CHECK(parse_peer("[fe80::1%eth0]:5801") == PeerAddress{"fe80::1%eth0", 5801});
  for (const auto* text : {"vpn.example.org:7754", "192.0.2.1:1", "[2001:db8::1]:5801"}) {
    CHECK(parse_peer(text).to_string() == text);
  }
}

TEST_CASE("local addresses are read and written") {
  CHECK(parse_listen("7754") == ListenAddress{std::nullopt, 7754});
  CHECK(parse_listen("192.0.2.1:5801") == ListenAddress{IpAddress::parse("192.0.2.1"), 5801});
  CHECK(parse_listen("[2001:db8::1]:5801") == ListenAddress{IpAddress::parse("2001:db8::1"), 5801});
  for (const auto* text : {"7754", "192.0.2.1:1", "[2001:db8::1]:5801"}) {
    CHECK(parse_listen(text).to_string() == text);
  }
}

TEST_CASE("the limits themselves are allowed") {
  const auto options = [](const std::string& words) {
    return parse_words("--listen 1 --peer-name b " + words).options;
  };
  CHECK(options("--mtu 576").mtu == 576U);
  CHECK(options("--mtu 16384").mtu == 16384U);
  CHECK(options("--mtu auto").mtu == std::nullopt);
  CHECK(options("--dscp 0").dscp == 0);
  CHECK(options("--dscp 63").dscp == 63);
  CHECK(options("--dscp copy").dscp == std::nullopt);
  CHECK(parse_number("0xffffffff", 1, 4294967295U) == 4294967295U);
  CHECK(parse_number("42", 42, 42) == 42);
  CHECK(parse_ifname("fifteen-letters") == "fifteen-letters");
  CHECK(parse_ifname("rv%d") == "rv%d");
  CHECK(parse_interface_address("169.254.1.5/31").to_string() == "169.254.1.5/31");
  CHECK(parse_interface_address("fe80::5/64").to_string() == "fe80::5/64");
  for (const std::string both : {"10.0.0.0/31", "10.0.0.1/31", "10.0.0.0/32", "2001:db8::/127",
                                 "2001:db8::/128", "2001:db8::3/126"}) {
    CHECK(parse_interface_address(both).to_string() == both);
  }
  CHECK(parse_network("0.0.0.0/0").to_string() == "0.0.0.0/0");
  CHECK(parse_network("2001:db8::1").length == 128);
  CHECK(parse_timeout("0.25") == std::chrono::milliseconds(250));
  CHECK(parse_timeout("86400") == std::chrono::hours(24));
}

TEST_CASE("words of an enumeration are read and written from one list") {
  const auto format = one_of<int>({{1, "one"}, {2, "two"}, {3, "three"}});
  CHECK(format.parse("two") == 2);
  CHECK(format.write(3) == "three");
  CHECK(format.words == Lines{"one", "two", "three"});
  CHECK_THROWS_WITH(format.parse("four"), "must be one, two or three");
}

TEST_CASE("a value below the range of a number is not written") {
  const auto format = number<std::uint32_t>(1, 9);
  CHECK(format.write(0).empty());
  CHECK(format.write(1) == "1");
}
