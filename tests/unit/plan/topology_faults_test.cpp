#include "routevpn/base/text.hpp"

#include "catch.hpp"
#include "topologies.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::StartsWith;

namespace {

// A valid file with known line numbers:
//  1 [organisation]       5 [[site]]           9 [[site.gateway]]   13 [[site]]
//  2 as                   6 name "a"          10 name "V1"          14 name "b"
//  3 interconnect4        7 prefixes           11 address           15 prefixes
//  4 interconnect6        8 (blank)           12 (blank)            16 [[site.gateway]] ...
struct File {
  std::string as = "as = 65000";
  std::string pool4 = "interconnect4 = \"10.255.0.0/24\"";
  std::string pool6 = "interconnect6 = \"2001:db8:ff::/64\"";
  std::string site_name = "name = \"a\"";
  std::string prefixes = "prefixes = [\"10.0.1.0/24\", \"2001:db8:a1::/64\"]";
  std::string line8;
  std::string gateway_name = "name = \"V1\"";
  std::string address = "address = \"2001:db8:1::1\"";
  std::string line12;
  std::string site_b = "[[site]]\nname = \"b\"\nprefixes = \"10.0.2.0/24\"\n";  // 13 to 15
  std::string gateway_b =
      "[[site.gateway]]\nname = \"V2\"\naddress = \"2001:db8:2::1\"\n";  // 16 to 18
  std::string end;                                                       // from 19

  [[nodiscard]] std::string text() const {
    std::string all = "[organisation]\n";
    for (const auto* line : {&as, &pool4, &pool6}) all += *line + "\n";
    all += "[[site]]\n";
    for (const auto* line : {&site_name, &prefixes, &line8}) all += *line + "\n";
    all += "[[site.gateway]]\n";
    for (const auto* line : {&gateway_name, &address, &line12}) all += *line + "\n";
    return all + site_b + gateway_b + end;
  }
};

std::string faults_with(std::string File::*line, const std::string& content) {
  File file;
  file.*line = content;
  return faults_of(file.text());
}

}  // namespace

TEST_CASE("each fault has one text and its line number") {
  struct Case {
    std::string File::*line;
    std::string content;
    std::string faults;
  };
  const std::vector<Case> cases = {
      {&File::as, "as = 0", "2: as: must be a number, 1 to 4294967294\n"},
      {&File::as, "as = \"65000\"", "2: as: must be a number, 1 to 4294967294\n"},
      {&File::as, "", "1: [organisation] needs as: the number of the private autonomous system\n"},
      {&File::as, "as = 65000\nport = 5",
       "3: unknown key 'port' in [organisation]; known: name, "
       "as, interconnect4, interconnect6, ports, mesh, accept, prefer, "
       "psk, detection, lanes, link-local, announce, hubs and reflectors\n"},
      {&File::pool4, "interconnect4 = \"10.255.0.0\"",
       "3: interconnect4 \"10.255.0.0\": must be ADDRESS/LENGTH, like 10.0.1.0/24 or "
       "2001:db8:a1::/64\n"},
      {&File::pool4, "interconnect4 = \"10.255.0.1/24\"",
       "3: interconnect4 \"10.255.0.1/24\": has bits set after its length; the network is "
       "10.255.0.0/24\n"},
      {&File::pool4, "interconnect4 = \"2001:db8:fe::/64\"",
       "3: interconnect4 \"2001:db8:fe::/64\": must be an IPv4 network\n"},
      {&File::pool6, "interconnect6 = \"10.254.0.0/24\"",
       "4: interconnect6 \"10.254.0.0/24\": must be an IPv6 network\n"},
      {&File::pool4, "interconnect4 = \"10.255.0.0/31\"",
       "3: interconnect4 \"10.255.0.0/31\": must have a length of 8 to 30\n"},
      {&File::pool4, "interconnect4 = \"224.0.0.0/24\"",
       "3: interconnect4 \"224.0.0.0/24\": contains addresses that no interface can have\n"},
      {&File::pool6, "interconnect6 = \"::/64\"",
       "4: interconnect6 \"::/64\": contains addresses that no interface can have\n"},
      {&File::pool4, "ports = \"100-99\"",
       "3: ports \"100-99\": must be FIRST-LAST, two ports of 1 to 65535\n"},
      {&File::pool4, "mesh = \"star\"",
       "3: mesh \"star\": must be full, hub-and-spoke or explicit\n"},
      {&File::pool4, "detection = \"quick\"",
       "3: detection \"quick\": must be fast, normal or patient\n"},
      {&File::pool4, "accept = \"some\"", "3: accept \"some\": must be sites, routed or any\n"},
      {&File::pool4, "mesh = \"hub-and-spok\"\nhubs = \"a\"",
       "3: mesh \"hub-and-spok\": must be full, hub-and-spoke or explicit\n"},
      {&File::pool4, "mesh = \"hub-and-spoke\"\nhubs = 3",
       "4: hubs: must be a text in quotes, or a list of them in brackets\n"},
      {&File::pool4, "hubs = [\"a\", \"b\"]", "3: hubs: needs mesh = \"hub-and-spoke\"\n"},
      {&File::pool4, "mesh = \"hub-and-spoke\"",
       "1: mesh \"hub-and-spoke\" needs hubs, a list of site names\n"},
      {&File::pool4, "mesh = \"hub-and-spoke\"\nhubs = [\"a\",\n\"c\"]",
       "5: hubs: there is no site 'c'\n"},
      {&File::pool4, "hubs = \"a\"", "3: hubs: needs mesh = \"hub-and-spoke\"\n"},
      {&File::pool4, "mesh = \"explicit\"", "1: mesh \"explicit\" needs at least one [[link]]\n"},
      {&File::pool4, "reflectors = [\"V1\", \"V7\"]", "3: reflectors: there is no gateway 'V7'\n"},
      {&File::pool4, "mesh = \"hub-and-spoke\"\nhubs = \"a\"\nreflectors = [\"V1\"]",
       "5: reflectors: not allowed with mesh \"hub-and-spoke\", whose reflectors are the gateways "
       "of the hubs\n"},
      {&File::pool4, "prefer = 6", "3: prefer: must be a text in quotes\n"},
      {&File::pool6, "",
       "7: prefix 2001:db8:a1::/64: IPv6 prefixes need interconnect6 in [organisation]\n"},
      {&File::site_name, "", "5: [[site]] needs name: links and hubs refer to the site by it\n"},
      {&File::site_name, "name = \"b\"", "13: duplicate site b, first in line 5\n"},
      {&File::site_name, "name = \"a b\"",
       "6: name \"a b\": must be 1 to 64 letters, digits, '.', '-' or '_', and begin with a letter "
       "or digit\n"},
      {&File::prefixes, "prefixes = [\"10.0.1.0/24\",\n\"10.0.1.1\"]",
       "8: prefixes \"10.0.1.1\": must be ADDRESS/LENGTH, like 10.0.1.0/24 or 2001:db8:a1::/64\n"},
      {&File::prefixes, "prefixes = [10]",
       "7: prefixes: must be a text in quotes, or a list of them in brackets\n"},
      {&File::prefixes, "prefixes = [\"0.0.0.0/0\", \"10.0.1.0/24\",\n\"0.0.0.0/0\"]",
       "8: duplicate prefix 0.0.0.0/0, first in line 7\n"},
      {&File::prefixes, "prefixes = \"224.0.0.0/8\"",
       "7: prefixes \"224.0.0.0/8\": is not a routable network\n"},
      {&File::prefixes, "prefixes = \"64.0.0.0/2\"",
       "7: prefixes \"64.0.0.0/2\": is not a routable network\n"},
      {&File::prefixes, "prefixes = \"10.0.0.0/16\"",
       "15: prefix of site b 10.0.2.0/24 overlaps 10.0.0.0/16, prefix of site a (line 7)\n"},
      {&File::prefixes, "prefixes = \"10.255.0.16/28\"",
       "7: prefix of site a 10.255.0.16/28 overlaps 10.255.0.0/24, interconnect pool (line 3)\n"},
      {&File::prefixes, "prefixes = [\"10.0.1.0/24\",\n\"10.0.1.0/24\"]",
       "8: prefix of site a 10.0.1.0/24 overlaps 10.0.1.0/24, prefix of site a (line 7)\n"},
      {&File::prefixes, "prefixes = \"2001:db8:1::/48\"",
       "9: public address of V1 2001:db8:1::1/128 overlaps 2001:db8:1::/48, prefix of site a "
       "(line 7)\n"},
      {&File::line8, "prefix = \"10.0.3.0/24\"",
       "8: unknown key 'prefix' in [[site]]; known: name, prefixes, announce, gateway and "
       "router\n"},
      {&File::gateway_name, "", "9: [[site.gateway]] needs name: the name in its certificate\n"},
      {&File::gateway_name, "name = \"V2\"", "16: duplicate gateway V2, first in line 9\n"},
      {&File::gateway_name,
       "name = \"V.2\"\nifname = \"v1\"\n[[site.gateway]]\nname = \"V-2\"\n"
       "ifname = \"v2\"\naddress = \"2001:db8:1::2\"\n[[site.gateway]]\n"
       "name = \"V3\"",
       "12: duplicate BIRD symbol of a gateway V_2, first in line 9\n"},
      {&File::gateway_name, "name = \"ca\"",
       "10: name \"ca\": is taken: ca.key and ca.cert are the CA's own files\n"},
      {&File::gateway_name, "name = \"gateway-in-paris\"",
       "9: gateway gateway-in-paris: the default ifname rvgateway-in-paris is longer than 15 "
       "characters; set ifname\n"},
      {&File::line12, "ifname = \"rv2\"", "16: duplicate ifname rv2, first in line 9\n"},
      {&File::line12, "ifname = \"rv?\"",
       "12: ifname \"rv?\": must be " + std::string(interface_name_rule) + "\n"},
      {&File::line12, "ifname = \"all\"",
       "12: ifname \"all\": must be " + std::string(interface_name_rule) + "\n"},
      {&File::line12, "ifname = \"lan\"",
       "9: ifname lan is also in lan, the interfaces to a site\n"},
      {&File::line12, "exporter = \"10.0.1.11\"",
       "12: exporter \"10.0.1.11\": must be ADDRESS:PORT, with an IPv6 address in brackets\n"},
      {&File::line12, "exporter = \"2001:db8::1:9586\"",
       "12: exporter \"2001:db8::1:9586\": must be ADDRESS:PORT, with an IPv6 address in "
       "brackets\n"},
      {&File::line12, "exporter = \"127.0.0.1:9586\"",
       "12: exporter \"127.0.0.1:9586\": is not reachable from other gateways\n"},
      {&File::line12, "cert = \"/etc/{host}.cert\"",
       "12: cert \"/etc/{host}.cert\": may contain {name} and {site}, but no other braces\n"},
      {&File::line12, "key = \"a\\\"b\"",
       "12: key \"a\"b\": must be printable ASCII without quotes, "
       "'\\', '#' and blanks at the ends\n"},
      {&File::address, "address = []", "11: address: must be at least one public address\n"},
      {&File::address, "address = \"192.0.2.1\\u0000\"",
       "11: address \"192.0.2.1" + std::string(1, '\0') +
           "\": must be an IPv4 or IPv6 address without a length, or a DNS name\n"},
      {&File::address, "address = \"2001:db8:2::1\"",
       "16: duplicate address 2001:db8:2::1, first in line 9\n"},
      {&File::address, "address = \"2001:db8:1::1/64\"",
       "11: address \"2001:db8:1::1/64\": must be an IPv4 or IPv6 address without a length, or a "
       "DNS "
       "name\n"},
      {&File::address, "address = \"fe80::1\"",
       "11: address \"fe80::1\": is not reachable from other gateways\n"},
      {&File::address, "address = [\"192.0.2.1\", \"192.0.2.2\"]",
       "11: address \"192.0.2.2\": the gateway already has an IPv4 address\n"},
      {&File::address, "address = \"192.0.2.1\"",
       "13: site b has no link to site a: no two of their gateways have public addresses of the "
       "same "
       "family\n"},
      {&File::gateway_b, "", "13: site b has no gateway; add a [[site.gateway]]\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V9\"]",
       "20: between: there is no gateway 'V9'\n"},
      {&File::end, "[[link]]\nbetween = \"V1\"",
       "20: between: must be the names of two gateways\n"},
      {&File::end, "[[link]]\ncost = 1", "19: [[link]] needs between: the names of two gateways\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V1\"]",
       "19: link between V1 and V1: both ends are in site a\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V2\"]\n[[link]]\nbetween = [\"V2\", \"V1\"]",
       "21: duplicate link between V2 and V1, first in line 19\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V2\"]\nfamily = \"ipv4\"",
       "21: link between V1 and V2: V1 has no IPv4 address\n"},
      {&File::end, "[[link]]\nbetween = 3",
       "20: between: must be a text in quotes, or a list of them in brackets\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V2\"]\ncost = 0",
       "21: cost: must be a number, 1 to 65535\n"},
      {&File::end, "[[link]]\nbetween = [\"V1\", \"V2\"]\nbandwidth = \"1G\"",
       "21: bandwidth: must be a number, 1 to 1000000000\n"},
      {&File::end, "site = 5", "18: unknown key 'site' in [[site.gateway]]; known:"},
      {&File::end, "[router]",
       "19: unknown key 'router' in the topology; known: organisation, "
       "defaults, site and link\n"},
      {&File::end, "[[defaults]]", "19: defaults: must be a table, [defaults]\n"},
  };
  for (const auto& [line, content, faults] : cases) {
    CAPTURE(content);
    if (faults.ends_with("\n")) {
      CHECK(faults_with(line, content) == faults);
    } else {
      CHECK_THAT(faults_with(line, content), ContainsSubstring("unknown key"));
    }
  }
}

TEST_CASE("a file without any topology") {
  CHECK(faults_of("") ==
        "1: the topology needs organisation: a table with at least the key as\n"
        "1: the topology needs site: at least one [[site]]\n");
  CHECK_THAT(faults_of("[organisation]\nas = 1\nas = 2\n"), ContainsSubstring("3: invalid TOML: "));
  CHECK_THAT(faults_of("[organisation\n"), ContainsSubstring("1: invalid TOML: "));
  CHECK_THAT(faults_of("[[\n[[link]]\n"), ContainsSubstring("1: invalid TOML: "));
  CHECK_THAT(faults_of("[link\xc3\x86]\n"), ContainsSubstring("1: invalid TOML: "));
  CHECK_THAT(faults_of("as = 1\n\xff\xfe"), ContainsSubstring(": invalid TOML: "));
  CHECK_THAT(faults_of(organisation() + "site = 4\n"),
             ContainsSubstring("5: unknown key 'site' in [organisation]"));
}

TEST_CASE("a fault hides the faults that follow from it") {
  File file;
  file.gateway_name = "name = \"V 1\"";
  file.end = "[[link]]\nbetween = [\"V 1\", \"V2\"]";
  CHECK_THAT(faults_of(file.text()), StartsWith("10: name \"V 1\": must be "));
  CHECK(faults_of(file.text()).find('\n') == faults_of(file.text()).size() - 1);

  const auto text = mesh(4, 1) + "[[site]]\nname = \"x\"\n";
  const std::string v4_only = "gateway = [{ name = \"X\", address = \"192.0.2.1\" }]\n";
  CHECK(faults_of(text + v4_only) ==
        "37: site x has no link to site 1 and 3 more: no two of their gateways have public "
        "addresses of the same family\n");
  const std::string both =
      "gateway = [{ name = \"Y\", address = \"2001:db8:9::1\" },\n"
      "           { name = \"X\", address = \"192.0.2.1\" }]\n";
  CHECK(faults_of(text + both) ==
        "40: gateway X has no link: no gateway of another site has a public address of its "
        "family\n");
  CHECK_THAT(faults_of(mesh(2, 1) + "[[site]]\nname = \"x\"\ngateway = { name = \"X\" }\n"),
             ContainsSubstring("gateway: must be a list of tables") &&
                 !ContainsSubstring("has no gateway"));
}

TEST_CASE("a file that would exhaust the parser or the port range is refused") {
  std::string deep = "a";
  for (int i = 0; i < 40'000; ++i) deep += ".a";
  CHECK(faults_of("\n" + deep + " = 1\n") ==
        "2: line is longer than 10000 bytes; a list may span several lines\n");
  CHECK(faults_of(mesh(190, 2)) ==
        "1: more than 65535 links, and each link needs a port; mesh = \"hub-and-spoke\" has fewer "
        "links\n");
}

TEST_CASE("faults are sorted by line") {
  File file;
  file.pool6 = "interconnect6 = \"x\"";
  file.address = "address = 1";
  file.end = "[[link]]\nbetween = [\"V1\", \"V3\"]";
  const auto faults = faults_of(file.text());
  CHECK_THAT(faults, ContainsSubstring("4: interconnect6") && ContainsSubstring("\n11: address") &&
                         ContainsSubstring("\n20: between"));
  CHECK(faults.find("\n11:") < faults.find("\n20:"));
}
