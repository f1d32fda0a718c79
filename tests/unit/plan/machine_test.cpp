// What makes a gateway of a machine: its units, namespaces, interfaces and addresses.

#include "routevpn/base/text.hpp"
#include "routevpn/plan/render.hpp"

#include "catch.hpp"
#include "topologies.hpp"

using namespace routevpn;
using namespace routevpn::plan;
using Catch::Matchers::EndsWith;

namespace {

const std::string mark = planned_mark;

// Two sites of one gateway. V1-1 has these lines, from line 10 on; site 1 has this prefix beside
// 10.0.1.0/24 and 2001:db8:a1::/64.
std::string gateway_with(const std::string& lines_of_gateway, const std::string& prefix = "") {
  auto text = mesh(2, 1);
  const std::string address = "address = \"2001:db8:1::1\"\n";
  const auto at = text.find(address);
  text.insert(at + address.size(), lines_of_gateway + "\n");
  const auto prefixes = text.find("prefixes = [");
  if (!prefix.empty()) text.insert(prefixes + 12, "\"" + prefix + "\", ");
  return text;
}

std::string planned_file(const std::string& topology, const std::string& path) {
  for (const auto& file : render(plan_of(topology))) {
    if (file.path == path) return file.content;
  }
  return "none";
}

}  // namespace

TEST_CASE("the units of a gateway are listed in the order of their start") {
  const std::string links = "routevpn@rv2-1.service\n";
  const std::string netns = "routevpn-netns@private.service\n";
  const std::string bird = "routevpn-bird@private.service\n";
  CHECK(planned_file(gateway_with(""), "V1-1/units") == "routevpn-netns@public.service\n" + netns +
                                                            "routevpn-bird@public.service\n" +
                                                            bird + links);
  // A provider's network runs no OSPF.
  CHECK(planned_file(gateway_with("underlay = []"), "V1-1/units") == netns + bird + links);
  CHECK(planned_file(gateway_with("underlay = []\nnetns = \"{name}.inside\""), "V1-1/units") ==
        "routevpn-netns@V1-1.inside.service\nroutevpn-bird@V1-1.inside.service\n" + links);
  // Another program makes these namespaces.
  CHECK(planned_file(gateway_with("public-netns = \"outside\"\nnetns = \"/run/ns\""),
                     "V1-1/units") == links);
}

TEST_CASE("a gateway with an exporter in the private network has its unit, options and topology") {
  const std::string exporter = "exporter = \"10.0.1.11:9586\"";
  const auto topology = gateway_with(exporter);
  CHECK_THAT(planned_file(topology, "V1-1/units"),
             EndsWith("routevpn@rv2-1.service\nroutevpn-exporter@private.service\n"));
  const std::string head = "# V1-1, exporter in the private namespace. " + mark;
  const std::string options =
      "ROUTEVPN_EXPORTER_OPTIONS=--listen 10.0.1.11:9586 --topology "
      "/etc/routevpn/exporter/topology.toml";
  CHECK(planned_file(topology, "V1-1/exporter/private.conf") == head + options + "\n");
  CHECK(planned_file(topology, "V1-1/exporter/topology.toml") ==
        "# V1-1, topology for the map of its exporter. " + mark + topology);
  const auto unended = topology.substr(0, topology.size() - 1);
  CHECK(planned_file(unended, "V1-1/exporter/topology.toml") ==
        planned_file(topology, "V1-1/exporter/topology.toml"));
  const std::string birds =
      " --bird /run/routevpn/bird/public.ctl --bird /run/routevpn/bird/in.ctl";
  CHECK(planned_file(gateway_with(exporter + "\nnetns = \"in\"\nrun-dir = \"/run/vpn\""),
                     "V1-1/exporter/in.conf") ==
        head + options + " --run-dir \"/run/vpn\"" + birds + "\n");
  CHECK(planned_file("\xEF\xBB\xBF" + topology, "V1-1/exporter/topology.toml") ==
        planned_file(topology, "V1-1/exporter/topology.toml"));
  CHECK(planned_file(topology, "V2-1/exporter/private.conf") == "none");
  CHECK(planned_file(topology, "V2-1/exporter/topology.toml") == "none");
  // Another program makes this namespace.
  const auto foreign = gateway_with(exporter + "\nnetns = \"/run/ns\"");
  CHECK(planned_file(foreign, "V1-1/exporter/topology.toml") == "none");
  CHECK_THAT(planned_file(foreign, "V1-1/units"), !ContainsSubstring("exporter"));
}

TEST_CASE("a private namespace has the interfaces to the site, with their addresses") {
  const std::string head =
      "# V1-1, private namespace. Written by routevpn plan; edit the topology file instead.\n";
  CHECK(planned_file(gateway_with(""), "V1-1/netns/private.conf") == head + "interface = lan\n");
  CHECK(planned_file(gateway_with("lan = []"), "V1-1/netns/private.conf") == head);
  CHECK(planned_file(gateway_with("lan = [\"eth*\", \"eth9\"]"), "V1-1/netns/private.conf") ==
        head + "interface = eth9\n");
  const std::string tables =
      "netns = \"in\"\nlan = [{ name = \"eth1\", addresses = [\"10.0.1.11/24\", "
      "\"2001:db8:a1::11/64\"] },\n  { name = \"eth2\", addresses = \"10.9.0.1/31\" }, \"eth3\"]";
  CHECK(planned_file(gateway_with(tables, "10.9.0.0/16"), "V1-1/netns/in.conf") ==
        head +
            "interface = eth1\naddress = 10.0.1.11/24\naddress = 2001:db8:a1::11/64\n"
            "interface = eth2\naddress = 10.9.0.1/31\ninterface = eth3\n");
  CHECK_FALSE(planned_file(gateway_with(tables, "10.9.0.0/16"), "V1-1/bird/private.conf")
                  .find("    interface \"eth2\" {\n") == std::string::npos);
  CHECK(planned_file(gateway_with("netns = \"/run/ns\""), "V1-1/netns//run/ns.conf") == "none");
}

TEST_CASE("a public namespace with OSPF has the public addresses on lo") {
  const std::string head =
      "# V1-1, public namespace. Written by routevpn plan; edit the topology file instead.\n";
  const std::string loopback = "interface = lo\naddress = 2001:db8:1::1/128\n";
  CHECK(planned_file(gateway_with(""), "V1-1/netns/public.conf") == head + loopback);
  const std::string two =
      "underlay = [{ name = \"eth0\", addresses = \"198.51.100.2/30\" }, \"eth5\"]";
  CHECK(planned_file(gateway_with(two), "V1-1/netns/public.conf") ==
        head + loopback + "interface = eth0\naddress = 198.51.100.2/30\n");
  CHECK(planned_file(gateway_with("underlay = []"), "V1-1/netns/public.conf") == "none");
  CHECK(planned_file(gateway_with("public-netns = \"outside\""), "V1-1/netns/public.conf") ==
        "none");
}

TEST_CASE("each fault of an interface, its address or a namespace is reported") {
  struct Case {
    std::string lines;
    std::string faults;
  };
  const auto lan = [](const std::string& address) {
    return "lan = { name = \"eth1\", addresses = \"" + address + "\" }";
  };
  const std::string line = "11: addresses \"";
  const std::vector<Case> cases = {
      {lan("10.0.1.11"),
       line + "10.0.1.11\": must be ADDRESS/LENGTH, like 10.0.1.11/24 or 2001:db8:a1::11/64\n"},
      {lan("10.0.1.0/24"),
       line + "10.0.1.0/24\": is the address of the network, not of an interface\n"},
      {lan("2001:db8:a1::/64"),
       line + "2001:db8:a1::/64\": is the address of the network, not of an interface\n"},
      {lan("10.0.1.255/24"), line + "10.0.1.255/24\": is the broadcast address of the network\n"},
      {lan("10.0.1.127/25"), line + "10.0.1.127/25\": is the broadcast address of the network\n"},
      {lan("2001:db8:a1::ff/120"), ""},
      {lan("10.0.1.255/31"), ""},
      {lan("10.0.1.0/31"), ""},
      {lan("10.0.1.0/32"), ""},
      {lan("2001:db8:a1::/127"), ""},
      {lan("2001:db8:a1::/128"), ""},
      {lan("127.0.0.1/8"), line + "127.0.0.1/8\": is not an address of an interface\n"},
      {lan("fe80::1/64"), line + "fe80::1/64\": is not an address of an interface\n"},
      {lan("10.0.1.11/16"),
       "11: address 10.0.1.11/16: the network is not inside a prefix of site 1\n"},
      {lan("10.0.2.11/24"),
       "11: address 10.0.2.11/24: the network is not inside a prefix of site 1\n"},
      {"lan = [{ name = \"a\", addresses = \"10.0.1.1/24\" },\n"
       "{ name = \"b\", addresses = \"10.0.1.1/25\" }]",
       "12: duplicate address 10.0.1.1, first in line 11\n"},
      {"underlay = { name = \"a\", addresses = \"10.0.2.200/24\" }",
       "11: address 10.0.2.200/24 overlaps 10.0.2.0/24, prefix of site 2, but the underlay has "
       "public addresses\n"},
      {"underlay = { name = \"a\", addresses = \"2001:db8:1::1/64\" }",
       "11: duplicate address 2001:db8:1::1, first in line 8\n"},
      {"underlay = \"eth0\"\nlan = [\"eth1\", \"eth0\"]",
       "8: interface eth0 of gateway V1-1 is in lan and in underlay, but it can be in one "
       "namespace only\n"},
      {"lan = { name = \"eth*\", addresses = \"10.0.1.1/24\" }",
       "11: name \"eth*\": must be " + std::string(interface_name_rule) + "\n"},
      {"lan = { addresses = \"10.0.1.1/24\" }", "11: lan needs name: the name of the interface\n"},
      {"lan = { name = \"a\", address = \"10.0.1.1/24\" }",
       "11: unknown key 'address' in lan; known: name and addresses\n"},
      {"lan = [\"a\", 1]",
       "11: lan: must be a text in quotes, a table in braces, or a list of them in brackets\n"},
      {"netns = \"public\"", "8: netns \"public\": is reserved for the public namespace\n"},
      {"netns = \"a b\"",
       "8: netns \"a b\": must be 1 to 64 letters, digits, '.', '-' and '_', and begin with a "
       "letter or digit, or be an absolute path\n"},
  };
  for (const auto& [lines, faults] : cases) {
    CAPTURE(lines);
    CHECK(faults_of(gateway_with(lines)) == faults);
  }
}

TEST_CASE("an interface has a name that the machine can have, once in its list") {
  const std::string rule =
      std::string(interface_name_rule) + "; the wildcard '*' stands for any characters\n";
  const std::string loopback = "is the loopback interface, which each namespace has\n";
  for (const std::string key : {"lan", "underlay"}) {
    const auto faults = [&](const std::string& list) {
      return faults_of(gateway_with(key + " = " + list));
    };
    CHECK(faults("[\"lo\"]") == "11: " + key + " \"lo\": " + loopback);
    CHECK(faults("{ name = \"lo\" }") == "11: name \"lo\": " + loopback);
    for (const std::string name :
         {"-a", ".", "..", "all", "default", "", "a b", "abcdefghijklmnop", "abcdefghijklmno*"}) {
      CHECK(faults("[\"" + name + "\"]") == "11: " + key + " \"" + name + "\": must be " + rule);
    }
    const auto twice = "11: " + key + ": duplicate interface eth1, first in line 11\n";
    CHECK(faults("[\"eth1\", \"eth2\", \"eth1\"]") == twice);
    CHECK(faults("[{ name = \"eth1\" }, { name = \"eth1\" }]") == twice);
    CHECK(faults("[\"eth1\",\n{ name = \"eth1\" }]") ==
          "12: " + key + ": duplicate interface eth1, first in line 11\n");
    CHECK(faults("[\"eth1\", \"eth*\"]").empty());
  }
  const auto text = mesh(2, 1);
  const auto at = text.rfind("name = \"R2\"\n");
  const auto with_router = [&](const std::string& lan) {
    return text.substr(0, at) + "lan = " + lan + "\n" + text.substr(at);
  };
  CHECK(faults_of(with_router("[\"a\", \"b\", \"a\"]")) ==
        "20: lan: duplicate interface a, first in line 20\n");
  CHECK(faults_of(with_router("\"lo\"")) == "20: lan \"lo\": " + loopback);
  CHECK(faults_of(mesh(2, 1) + "[defaults]\nlan = [\"a\", \"a\"]\n") ==
        "22: lan: duplicate interface a, first in line 22\n");
}

TEST_CASE("a namespace's name fits into the name of a unit and of a file") {
  const std::string longest(64, 'a');
  const std::string rule =
      ": must be 1 to 64 letters, digits, '.', '-' and '_', and begin with a letter or digit, or "
      "be "
      "an absolute path\n";
  for (const std::string key : {"netns", "public-netns"}) {
    const auto faults = [&](const std::string& name) {
      return faults_of(gateway_with(key + " = \"" + name + "\""));
    };
    CHECK(faults(longest).empty());
    CHECK(faults("/run/netns/" + longest).empty());
    for (const auto& name :
         {longest + "a", std::string(".a"), std::string("a/b"), std::string("a@b")}) {
      CHECK(faults(name) == "8: " + key + " \"" + name + "\"" + rule);
    }
  }
  CHECK(
      faults_of(gateway_with("netns = \"a\"\npublic-netns = \"a\"")) ==
      "8: netns and public-netns of gateway V1-1 are both \"a\", but the inside and the outside of "
      "a link need two namespaces\n");
}

TEST_CASE("paths are absolute and differ, and a socket fits into the run directory") {
  const auto faults = [](const std::string& lines) { return faults_of(gateway_with(lines)); };
  for (const std::string key : {"cert", "key", "ca", "crl", "psk-dir", "run-dir", "include"}) {
    CHECK(faults(key + " = \"pki/a\"") == "8: " + key + " \"pki/a\": must be an absolute path\n");
  }
  CHECK(faults("cert = \"/a.pem\"\nkey = \"/a.pem\"") == "8: key \"/a.pem\": is also cert\n");
  const std::string longest = "/" + std::string(85, 'r');
  CHECK(faults("run-dir = \"" + longest + "\"").empty());
  CHECK(faults("run-dir = \"" + longest + "r\"") ==
        "8: run-dir \"" + longest +
            "r\": must not be longer than 86 characters, for the sockets of "
            "the links in it\n");
}

TEST_CASE("interfaces that cannot work together are reported") {
  const auto faults = [](const std::string& lines) { return faults_of(gateway_with(lines)); };
  CHECK(faults("lan = [{ name = \"a\", addresses = \"10.0.1.1/24\" },\n"
               "{ name = \"b\", addresses = \"10.0.1.2/24\" }]") ==
        "12: address 10.0.1.2/24: interface a already has an address of 10.0.1.0/24\n");
  CHECK(faults("lan = { name = \"a\", addresses = [\"10.0.1.1/24\", \"10.0.1.2/24\"] }").empty());
  CHECK(faults("underlay = { name = \"a\", addresses = \"10.240.0.9/30\" }") ==
        "11: address 10.240.0.9/30 overlaps 10.240.0.0/12, interconnect pool (line 3)\n");
  for (const std::string pattern : {"*", "rv*", "*-1", "r*2*1"}) {
    CHECK(faults("lan = \"" + pattern + "\"") ==
          "8: lan \"" + pattern +
              "\" of gateway V1-1 matches rv2-1, the interface of the link to V2-1\n");
  }
  CHECK(faults("lan = [\"rv1*\", \"e*\", \"rv2-1*x\"]").empty());
}
