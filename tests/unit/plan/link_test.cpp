// Links with lanes, link-local addresses, and ends whose public address is unknown.
#include <variant>

#include "routevpn/cli/command_line.hpp"
#include "routevpn/plan/render.hpp"

#include "catch.hpp"
#include "topologies.hpp"
#include "unit/cli/parsing.hpp"

using namespace routevpn;
using namespace routevpn::plan;

namespace {

// "V2-1/rv1-1": the text of that link's file, which must be valid.
std::string link_file(const std::string& topology, const std::string& gateway,
                      const std::string& peer) {
  const auto plan = plan_of(topology);
  for (const auto& link : plan.links) {
    for (std::size_t end = 0; end < 2; ++end) {
      const auto& gateways = plan.topology.gateways;
      if (gateways[link.gateways[end]].name != gateway) continue;
      if (gateways[link.gateways[1 - end]].name != peer) continue;
      auto text = render_link(plan, link.gateways[end], link);
      const cli::ScratchDirectory dir;
      const std::vector<std::string> words = {"check", "--config", dir.write("link.conf", text)};
      const auto line = cli::parse_command_line(words);
      CAPTURE(text);
      CHECK(line.faults.empty());
      CHECK(line.warnings.empty());
      return text;
    }
  }
  return "none";
}

std::string end_of(const std::string& name, const std::string& address) {
  return "[[site]]\nname = \"" + name + "\"\n[[site.gateway]]\nname = \"" + name + "\"\n" +
         (address.empty() ? "" : "address = " + address + "\n");
}

std::string start_of(const std::string& file) {  // the lines of the outer side
  const auto begin = file.find('\n') + 1;
  return file.substr(begin, file.find("peer-name") - begin);
}

const std::string dual_stack = "[\"192.0.2.1\", \"2001:db8:1::1\"]";

}  // namespace

TEST_CASE("a link has a port for each lane") {
  const auto text =
      mesh(3, 1, "lanes = 2\n") + "[[link]]\nbetween = [\"V1-1\", \"V3-1\"]\nlanes = 4\n";
  CHECK_THAT(link_file(text, "V1-1", "V2-1"),
             ContainsSubstring("\nlanes = 2\n") && ContainsSubstring("::1]:10000\n"));
  CHECK_THAT(link_file(text, "V3-1", "V1-1"),
             ContainsSubstring("\nlanes = 4\n") && ContainsSubstring("::1]:10004\n"));
  CHECK_THAT(link_file(text, "V3-1", "V2-1"), ContainsSubstring("::1]:10008\n"));
  CHECK_THAT(link_file(mesh(2, 1), "V1-1", "V2-1"), !ContainsSubstring("lanes"));
  CHECK(faults_of(mesh(3, 1, "lanes = 4\nports = \"7000-7010\"\n")) ==
        "6: ports 7000-7010 are exhausted: 3 links of up to 4 lanes need 12 ports\n");
  CHECK(faults_of(mesh(3, 1, "lanes = 4\nports = \"7000-7011\"\n")).empty());
  CHECK(faults_of(mesh(2, 1, "lanes = 17\n")) == "5: lanes: must be a number, 1 to 16\n");
}

TEST_CASE("the two ends of a link have different link-local addresses") {
  const auto text = mesh(3, 1, "link-local = true\n") +
                    "[[link]]\nbetween = [\"V1-1\", \"V3-1\"]\nlink-local = false\n";
  CHECK_THAT(link_file(text, "V1-1", "V2-1"), ContainsSubstring("\naddress = fe80::1/64\n"));
  CHECK_THAT(link_file(text, "V2-1", "V1-1"), ContainsSubstring("\naddress = fe80::2/64\n"));
  CHECK_THAT(link_file(text, "V3-1", "V1-1"), !ContainsSubstring("fe80"));
  CHECK_THAT(link_file(mesh(2, 1), "V1-1", "V2-1"), !ContainsSubstring("fe80"));
}

TEST_CASE("a gateway behind NAT is the initiator of all its links") {
  const auto text = organisation() + end_of("a", dual_stack) + end_of("b", "");
  CHECK(start_of(link_file(text, "b", "a")) == "peer = [2001:db8:1::1]:10000\n");
  CHECK(start_of(link_file(text, "a", "b")) == "listen = [2001:db8:1::1]:10000\n");
  const auto ipv4 = text + "[[link]]\nbetween = [\"a\", \"b\"]\nfamily = \"ipv4\"\n";
  CHECK(start_of(link_file(ipv4, "b", "a")) == "peer = 192.0.2.1:10000\n");
  CHECK(start_of(link_file(ipv4, "a", "b")) == "listen = 192.0.2.1:10000\n");
  const auto plan = plan_of(text);
  CHECK(plan.lock.links.contains({"b", "a"}));
  CHECK_THAT(render_public_bird(plan, 1),
             !ContainsSubstring("define") && !ContainsSubstring("protocol ospf"));
  CHECK_THAT(render_public_bird(plan, 0), ContainsSubstring("define PUBLIC4 = [ 192.0.2.1/32 ]"));
  CHECK(render_public_netns(plan, 1).empty());
  CHECK_THAT(render_units(plan, 1), !ContainsSubstring("public"));
  CHECK_THAT(render_dot(plan), ContainsSubstring("label=\"b\\nbehind NAT\""));
}

TEST_CASE("a gateway with a DNS name accepts at any of its addresses") {
  const auto text = organisation() + end_of("a", dual_stack) + end_of("b", "\"vpn.example.org\"") +
                    end_of("c", "");
  CHECK(start_of(link_file(text, "a", "b")) ==
        "peer = vpn.example.org:10000\nlisten = [2001:db8:1::1]:10000\n");
  CHECK(start_of(link_file(text, "b", "a")) == "listen = 10000\nallow = 2001:db8:1::1/128\n");
  CHECK(start_of(link_file(text, "c", "b")) == "peer = vpn.example.org:10002\n");
  CHECK(start_of(link_file(text, "b", "c")) == "listen = 10002\n");
  CHECK_THAT(render_dot(plan_of(text)), ContainsSubstring("label=\"b\\nvpn.example.org\""));
}

TEST_CASE("two gateways behind NAT get no link, and two sites without a link are a fault") {
  const auto some = organisation() + end_of("a", dual_stack) + end_of("b", "") +
                    "[[site.gateway]]\nname = \"b2\"\naddress = \"192.0.2.2\"\n" + end_of("c", "");
  CHECK(plan_of(some).links.size() == 4);  // a-b, a-b2, a-c, b2-c
  const auto all = organisation() + end_of("a", dual_stack) + end_of("b", "") + end_of("c", "");
  const std::string fault =
      "site c has no link to site b: all their gateways are behind NAT; site a could relay: set "
      "mesh = \"hub-and-spoke\" and hubs = \"a\"\n";
  CHECK_THAT(faults_of(all), ContainsSubstring(fault));
  const auto hub = organisation("mesh = \"hub-and-spoke\"\nhubs = \"a\"\n");
  CHECK(plan_of(hub + end_of("a", dual_stack) + end_of("b", "") + end_of("c", "")).links.size() ==
        2);
  CHECK_THAT(faults_of(organisation() + end_of("b", "") + end_of("c", "")),
             ContainsSubstring("are behind NAT; give one of them an address\n"));
  const auto link = [](const std::string& ends) { return "[[link]]\nbetween = " + ends + "\n"; };
  const auto text = organisation("mesh = \"explicit\"\n") + end_of("a", dual_stack) +
                    end_of("b", "") + end_of("c", "") + link("[\"a\", \"b\"]") +
                    link("[\"c\", \"b\"]");
  CHECK_THAT(faults_of(text),
             ContainsSubstring("link between c and b: both ends are behind NAT, so neither can "
                               "accept; a could relay: make site a a hub\n"));
}

TEST_CASE("a route reflector is not behind NAT") {
  const auto plan = plan_of(organisation("reflectors = \"auto\"\n") + end_of("a", "") +
                            end_of("b", dual_stack) + end_of("c", "\"c.example.org\""));
  CHECK(plan.is_reflector == std::vector<bool>{false, true, true});
}

TEST_CASE("a DNS name is checked, and no mistyped address is one") {
  const auto faults = [](const std::string& address) {
    return faults_of(organisation() + end_of("a", "\"" + address + "\"") + end_of("b", dual_stack));
  };
  for (const auto* const good : {"vpn.example.org", "a", "x-1.de", "1st.example"}) {
    CAPTURE(good);
    CHECK(faults(good).empty());
  }
  for (const auto* const bad : {"192.0.2", "192.0.2.256", "a..b", "-a.de", "a-.de", "a b", "a_b.de",
                                "vpn.example.org.", "", "2001:db8::1::2", "192.0.2.1:7000"}) {
    CAPTURE(bad);
    CHECK_THAT(faults(bad), ContainsSubstring("must be an IPv4 or IPv6 address without a length, "
                                              "or a DNS name\n"));
  }
  CHECK_THAT(faults_of(organisation() + end_of("a", "[\"a.de\", \"192.0.2.9\"]") +
                       end_of("b", dual_stack)),
             ContainsSubstring("address \"a.de\": a DNS name must be the only address\n"));
  CHECK_THAT(faults_of(organisation() + end_of("a", "\"a.de\"") + end_of("b", "\"a.de\"")),
             ContainsSubstring("duplicate address a.de, first in line "));
}
