// `--accept routed` in a namespace with two interfaces, a link and another one:
//
//   TUN rv0 (10.255.0.1/30, 2001:db8:ff::/127) - gateway - veth v0
#include <array>
#include <optional>
#include <vector>

#include "routevpn/host/guardian.hpp"
#include "routevpn/host/netlink.hpp"
#include "routevpn/host/refused_sources.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/inside/tun.hpp"

#include "catch.hpp"
#include "datagram.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using routevpn::inside::IoResult;
using routevpn::inside::Tun;

namespace {

const GuardianDuties routed_duties{.ipv4 = true, .ipv6 = true, .routed_sources = true};

GuardianDuties routed_beside(const std::vector<std::string>& prefixes) {
  GuardianDuties duties = routed_duties;
  for (const auto& prefix : prefixes) duties.sources.push_back(IpPrefix::parse(prefix).value());
  return duties;
}

class RoutedGateway {
 public:
  explicit RoutedGateway(const GuardianDuties& duties = routed_duties) {
    lab_.must("ip link add v0 type veth peer name v1");
    lab_.must("ip link set v0 up");
    lab_.must("ip link set v1 up");
    lab_.must("ip address add 198.51.100.1/24 dev v0");
    lab_.must("ip address add 2001:db8:9::1/64 dev v0 nodad");
    lab_.must(
        "nft add table inet watch '{ counter seen { }; chain behind { type filter hook "
        "prerouting priority -250; iifname rv0 counter name seen; }; }'");
    const NetnsScope inside(lab_.open());
    tun_.emplace(Tun::create("rv0"));
    Netlink().set_up({.name = "rv0",
                      .mtu = 1415,
                      .addresses = {IpPrefix::parse("10.255.0.1/30").value(),
                                    IpPrefix::parse("2001:db8:ff::/127").value()},
                      .routes = {}});
    inside::Carrier::of(*tun_).set(true);
    guardian_.emplace(start_guardian(duties, lab_));
    refused_.emplace("rv0");
  }

  // What the gateway does with a packet of this source: the check passes it or counts it.
  std::string fate_of(const std::string& source) {
    const bool v4 = source.find(':') == std::string::npos;
    std::vector<std::uint8_t> packet = datagram(source, v4 ? "10.255.0.1" : "2001:db8:ff::");
    const std::array<iovec, 1> buffers{{{packet.data(), packet.size()}}};
    const auto seen_before = seen();
    const auto refused_before = refused_->count();
    REQUIRE(tun_->write(buffers) == IoResult::ok);
    REQUIRE(soon([&] { return seen() + refused_->count() > seen_before + refused_before; }));
    CHECK(seen() + refused_->count() == seen_before + refused_before + 1);
    return refused_->count() > refused_before ? "refused" : "accepted";
  }

  [[nodiscard]] const TestNetns& lab() const { return lab_; }
  [[nodiscard]] RefusedSources& refused() { return *refused_; }
  void end_guardian() { guardian_.reset(); }

 private:
  [[nodiscard]] std::uint64_t seen() const {
    const auto text = lab_.run_inside("nft list counter inet watch seen").text;
    const auto at = text.find("packets ");
    REQUIRE(at != std::string::npos);
    return std::stoull(text.substr(at + 8));
  }

  TestNetns lab_;
  std::optional<Tun> tun_;
  std::optional<Guardian> guardian_;
  std::optional<RefusedSources> refused_;
};

}  // namespace

TEST_CASE("with --accept routed a source passes if its route leads through the link") {
  if (!can_make_namespaces()) return;
  RoutedGateway gateway;
  gateway.lab().must("ip route add 10.9.0.0/16 dev rv0");
  gateway.lab().must("ip route add 10.9.8.0/24 dev v0");
  gateway.lab().must("ip route add 2001:db8:a9::/48 dev rv0");
  gateway.lab().must("ip route add 2001:db8:a9:8::/64 dev v0");
  for (const auto* source :
       {"10.9.0.1", "10.255.0.2", "2001:db8:a9::1", "2001:db8:ff::1", "fe80::1", "::"}) {
    CAPTURE(source);
    CHECK(gateway.fate_of(source) == "accepted");
  }
  CHECK(gateway.refused().count() == 0);
  // A more specific route elsewhere, no route, an address of the gateway itself.
  for (const auto* source : {"10.9.8.1", "203.0.113.1", "10.255.0.1", "198.51.100.1",
                             "2001:db8:a9:8::1", "2001:db8:77::1", "2001:db8:9::1"}) {
    CAPTURE(source);
    CHECK(gateway.fate_of(source) == "refused");
  }
  CHECK(gateway.refused().count() == 7);
}

TEST_CASE("the check follows a change of the routes at once") {
  if (!can_make_namespaces()) return;
  RoutedGateway gateway;
  const auto [source, prefix] = GENERATE(std::pair{"10.9.0.1", "10.9.0.0/16"},
                                         std::pair{"2001:db8:a9::1", "2001:db8:a9::/48"});
  const std::string replace = std::string("ip route replace ") + prefix;
  CHECK(gateway.fate_of(source) == "refused");
  gateway.lab().must(replace + " dev rv0");
  CHECK(gateway.fate_of(source) == "accepted");
  gateway.lab().must(replace + " dev v0");
  CHECK(gateway.fate_of(source) == "refused");
}

TEST_CASE("a source with an ECMP route through the link and another interface passes") {
  if (!can_make_namespaces()) return;
  RoutedGateway gateway(routed_beside({"2001:db8:a9::/48"}));
  gateway.lab().must("ip route add 10.9.0.0/16 nexthop via 10.255.0.2 nexthop via 198.51.100.2");
  // For IPv6 the prefix stands beside `routed`: see the man page.
  gateway.lab().must(
      "ip route add 2001:db8:a9::/48 nexthop via 2001:db8:ff::1 nexthop via 2001:db8:9::2");
  for (int host = 1; host <= 16; ++host) {
    CAPTURE(host);
    CHECK(gateway.fate_of("10.9.0." + std::to_string(host)) == "accepted");
    CHECK(gateway.fate_of("2001:db8:a9::" + std::to_string(host)) == "accepted");
  }
}

// Planned links without IPv4 addresses have such routes, and --table with --fwmark such rules.
TEST_CASE("IPv4 routes with an IPv6 next hop, and policy rules, count for the check") {
  if (!can_make_namespaces()) return;
  RoutedGateway gateway;
  gateway.lab().must("ip route add 10.9.0.0/16 via inet6 2001:db8:ff::1 dev rv0");
  gateway.lab().must(
      "ip route add 10.8.0.0/16 nexthop via inet6 2001:db8:9::2 dev v0 "
      "nexthop via inet6 2001:db8:ff::1 dev rv0");
  CHECK(gateway.fate_of("10.9.0.1") == "accepted");
  CHECK(gateway.fate_of("10.8.0.1") == "accepted");
  gateway.lab().must("ip route add 10.7.0.0/16 dev rv0 table 51");
  gateway.lab().must("ip -6 route add 2001:db8:a7::/48 dev rv0 table 51");
  CHECK(gateway.fate_of("10.7.0.1") == "refused");
  CHECK(gateway.fate_of("2001:db8:a7::1") == "refused");
  gateway.lab().must("ip rule add not fwmark 7754 table 51");
  gateway.lab().must("ip -6 rule add not fwmark 7754 table 51");
  CHECK(gateway.fate_of("10.7.0.1") == "accepted");
  CHECK(gateway.fate_of("2001:db8:a7::1") == "accepted");
}

TEST_CASE("prefixes beside routed are accepted, also many that overlap") {
  if (!can_make_namespaces()) return;
  std::vector<std::string> prefixes{"10.8.0.0/16", "10.8.1.0/24", "203.0.113.1/32",
                                    "2001:db8:a8::/48", "2001:db8:a8:1::/64"};
  for (int i = 0; i < 256; ++i) {
    prefixes.push_back("10.7." + std::to_string(i) + ".0/25");
    prefixes.push_back("2001:db8:a7:" + std::to_string(i) + "::/64");
  }
  RoutedGateway gateway(routed_beside(prefixes));
  for (const auto* source : {"10.8.1.1", "10.8.2.1", "203.0.113.1", "10.7.255.1",
                             "2001:db8:a8:1::1", "2001:db8:a8:2::1", "2001:db8:a7:255::1"}) {
    CAPTURE(source);
    CHECK(gateway.fate_of(source) == "accepted");
  }
  for (const auto* source : {"203.0.113.2", "10.7.255.129", "2001:db8:a7:256::1"}) {
    CAPTURE(source);
    CHECK(gateway.fate_of(source) == "refused");
  }
  RoutedGateway every(routed_beside({"0.0.0.0/0", "::/0"}));
  CHECK(every.fate_of("203.0.113.1") == "accepted");
  CHECK(every.fate_of("2001:db8:77::1") == "accepted");
}

TEST_CASE("--accept routed and --nat share the link's table") {
  if (!can_make_namespaces()) return;
  GuardianDuties duties = routed_duties;
  duties.nat = true;
  RoutedGateway gateway(duties);
  const std::string table = gateway.lab().run_inside("nft list table inet routevpn-rv0").text;
  CHECK_THAT(table, ContainsSubstring("flags owner"));
  CHECK_THAT(table, ContainsSubstring("masquerade"));
  CHECK(gateway.fate_of("203.0.113.1") == "refused");
}

TEST_CASE("the count of refused sources stays when the table is gone") {
  if (!can_make_namespaces()) return;
  RoutedGateway gateway;
  CHECK(gateway.fate_of("203.0.113.1") == "refused");
  gateway.end_guardian();
  CHECK(gateway.lab().run_inside("nft list tables").text == "table inet watch\n");
  CHECK(gateway.refused().count() == 1);
}
