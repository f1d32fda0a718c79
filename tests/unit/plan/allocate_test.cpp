#include <algorithm>
#include <set>

#include "catch.hpp"
#include "topologies.hpp"

using namespace routevpn;
using namespace routevpn::plan;

namespace {

// "V1-1 V2-1 3 10.255.0.13/30 2001:db8:ff::6/127": must never change while the link exists.
std::string text_of(const Plan& plan, const PlannedLink& link) {
  const auto& gateways = plan.topology.gateways;
  return gateways[link.gateways[0]].name + " " + gateways[link.gateways[1]].name + " " +
         std::to_string(plan.port_of(link)) + " " +
         plan.interconnect(link, link.gateways[0], Family::ipv4)->to_string() + " " +
         plan.interconnect(link, link.gateways[1], Family::ipv6)->to_string();
}

std::set<std::string> texts_of(const Plan& plan) {
  std::set<std::string> texts;
  for (const auto& link : plan.links) texts.insert(text_of(plan, link));
  return texts;
}

bool contains_all(const std::set<std::string>& all, const std::set<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

std::vector<std::string> reflectors_of(const Plan& plan) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < plan.is_reflector.size(); ++i) {
    if (plan.is_reflector[i]) names.push_back(plan.topology.gateways[i].name);
  }
  return names;
}

std::string gateway(const std::string& name, const std::string& addresses) {
  return "[[site.gateway]]\nname = \"" + name + "\"\naddress = " + addresses + "\n";
}

}  // namespace

TEST_CASE("links are numbered in file order, and the number determines addresses and port") {
  const auto plan = plan_of(source("lab/topology.toml"));
  REQUIRE(plan.links.size() == 12);
  CHECK(text_of(plan, plan.links[0]) == "V1-1 V2-1 10000 10.255.0.1/30 2001:db8:ff::1/127");
  CHECK(text_of(plan, plan.links[5]) == "V1-2 V2-2 10005 10.255.0.21/30 2001:db8:ff::b/127");
  CHECK(text_of(plan, plan.links[11]) == "V2-2 V3-2 10011 10.255.0.45/30 2001:db8:ff::17/127");
  CHECK(text_of_id(plan.lock.ids.at("V2-2")) == "0.0.2.2");
  CHECK(text_of_id(plan.lock.ids.at("R3")) == "0.0.3.129");
}

TEST_CASE("no two links of a large mesh share an address or a port") {
  const auto plan = plan_of(mesh(40, 2));
  REQUIRE(plan.links.size() == 80 * 78 / 2);
  std::set<std::string> seen;
  std::set<unsigned> ports;
  for (const auto& link : plan.links) {
    ports.insert(plan.port_of(link));
    for (const auto end : link.gateways) {
      seen.insert(plan.interconnect(link, end, Family::ipv4)->to_string());
      seen.insert(plan.interconnect(link, end, Family::ipv6)->to_string());
    }
    CHECK(plan.topology.gateways[link.gateways[0]].site !=
          plan.topology.gateways[link.gateways[1]].site);
  }
  CHECK(seen.size() == plan.links.size() * 4);
  CHECK(ports.size() == plan.links.size());
}

TEST_CASE("the gateway with the lower name initiates, and digits compare by value") {
  CHECK(natural_less("V2-1", "V10-1"));
  CHECK_FALSE(natural_less("V10-1", "V2-1"));
  CHECK(natural_less("V1-2", "V1-10"));
  CHECK(natural_less("a", "ab"));
  CHECK(natural_less("V01", "V1"));
  CHECK_FALSE(natural_less("V1", "V01"));
  CHECK_FALSE(natural_less("V1", "V1"));
  CHECK(natural_less("99999999999999999999998", "99999999999999999999999"));
  const auto plan = plan_of(organisation() + site(10, 1) + site(2, 1));
  CHECK(plan.topology.gateways[plan.links[0].gateways[0]].name == "V2-1");
}

TEST_CASE("an addition renumbers no existing link") {
  const auto before = plan_of(mesh(3));
  const auto links = texts_of(before);
  SECTION("a site at the end") {
    const auto plan = plan_of(mesh(4), before.lock);
    CHECK(contains_all(texts_of(plan), links));
    CHECK(plan.links.size() == 24);
  }
  SECTION("a site and a gateway at the beginning") {
    const auto plan =
        plan_of(organisation() + site(7, 1) + site(1, 3) + site(2) + site(3), before.lock);
    CHECK(contains_all(texts_of(plan), links));
    CHECK(text_of_id(plan.lock.ids.at("V7-1")) == "0.0.4.1");
    CHECK(text_of_id(plan.lock.ids.at("V1-1")) == "0.0.1.1");
    CHECK(text_of_id(plan.lock.ids.at("V1-3")) == "0.0.1.3");
  }
  SECTION("another order") {
    const auto plan = plan_of(organisation() + site(3) + site(1) + site(2), before.lock);
    CHECK(texts_of(plan) == links);
  }
}

TEST_CASE("a number is reused only after its link is removed") {
  const auto before = plan_of(mesh(3));
  const auto without = plan_of(organisation() + site(1) + site(3), before.lock);
  CHECK(without.lock.links.size() == 4);
  CHECK(without.lock.links.at({"V1-1", "V3-1"}) == 2);
  CHECK_FALSE(without.lock.ids.contains("V2-1"));
  const auto after = plan_of(organisation() + site(1) + site(3) + site(9, 1), without.lock);
  CHECK(after.lock.links.at({"V1-1", "V3-1"}) == 2);
  CHECK(after.lock.links.at({"V1-1", "V9-1"}) == 0);
  CHECK(text_of_id(after.lock.ids.at("V9-1")) == "0.0.2.1");
}

TEST_CASE("a lock is unchanged after it is written and read") {
  const auto lock = plan_of(mesh(11)).lock;
  Faults faults;
  CHECK(parse_lock(format_lock(lock), faults) == lock);
  CHECK(faults.empty());
  CHECK(lock.reflectors == std::vector<std::string>{"V1-1", "V2-1", "V3-1"});
}

TEST_CASE("each malformed line of a lock is one fault with its line number") {
  const auto* const text =
      GENERATE("link 1 A", "link x A B", "node 0 A", "id 1.2.3 A", "id ::1 A", "gateway 1000000 A",
               "reflector", "link 0 C D", "link 5 A B", "gateway -1 A", "<<<<<<< HEAD");
  CAPTURE(text);
  Faults faults;
  parse_lock("# a comment\n\nlink 0 A B\n" + std::string(text) + "\nreflector A\n", faults);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].line == 4);
}

TEST_CASE("pools and port range must be large enough for all links") {
  const auto with = [](const std::string& pool4, const std::string& more) {
    return faults_of("[organisation]\nas = 65000\ninterconnect4 = \"10.255.0.0/" + pool4 + "\"\n" +
                     more + site(1) + site(2) + site(3));
  };
  CHECK(with("26", "interconnect6 = \"2001:db8:ff::/64\"\n").empty());  // 16 for 12
  CHECK(with("27", "interconnect6 = \"2001:db8:ff::/123\"\n") ==
        "3: interconnect4 10.255.0.0/27 is exhausted: 12 links need a /26 or larger\n");
  CHECK(with("26", "interconnect6 = \"2001:db8:ff::/124\"\n") ==
        "4: interconnect6 2001:db8:ff::/124 is exhausted: 12 links need a /123 or larger\n");
  CHECK(with("26", "interconnect6 = \"2001:db8:ff::/123\"\nports = \"7000-7010\"\n") ==
        "5: ports 7000-7010 are exhausted: 12 links need as many ports\n");
  CHECK(with("26", "interconnect6 = \"2001:db8:ff::/123\"\nports = \"7000-7011\"\n").empty());
  CHECK(with("26", "interconnect6 = \"2001:db8:ff::/123\"\nreflectors = \"auto\"\n").empty());
  CHECK(faults_of(mesh(2, 1, "reflectors = \"auto\"\nports = \"1-1\"\n")).empty());
}

TEST_CASE("next hops are allocated from the end of the pool") {
  const auto plan = plan_of(mesh(3, 2, "reflectors = \"auto\"\n"));
  CHECK(plan.next_hop(0).to_string() == "2001:db8:ff::ff:ffff:ffff");
  std::set<std::string> all;
  for (std::size_t i = 0; i < 6; ++i) all.insert(plan.next_hop(i).to_string());
  CHECK(all.size() == 6);
}

TEST_CASE("hub-and-spoke has links only to hubs, and the hubs are reflectors") {
  const auto plan = plan_of(mesh(4, 2, "mesh = \"hub-and-spoke\"\nhubs = [\"2\"]\n"));
  CHECK(plan.links.size() == 12);
  CHECK(plan.sessions == Sessions::over_each_link);
  CHECK(reflectors_of(plan) == std::vector<std::string>{"V2-1", "V2-2"});
  const auto two = plan_of(mesh(4, 1, "mesh = \"hub-and-spoke\"\nhubs = [\"2\", \"3\"]\n"));
  CHECK(two.links.size() == 5);
}

TEST_CASE("an explicit topology has exactly the listed links, and every site needs one") {
  const auto text = [](const std::string& links) {
    return mesh(3, 1, "mesh = \"explicit\"\n") + links;
  };
  const std::string first = "[[link]]\nbetween = [\"V2-1\", \"V1-1\"]\ncost = 7\n";
  CHECK(faults_of(text(first)) == "22: site 3 has no link\n");
  const auto plan = plan_of(text(first + "[[link]]\nbetween = [\"V3-1\", \"V1-1\"]\n"));
  REQUIRE(plan.links.size() == 2);
  CHECK(plan.topology.gateways[plan.links[0].gateways[0]].name == "V1-1");
  CHECK(plan.cost_of(plan.links[0]) == 7);
  CHECK(reflectors_of(plan).empty());
}

TEST_CASE("a full mesh of more than ten sites gets three reflectors in different sites") {
  CHECK(reflectors_of(plan_of(mesh(10))).empty());
  CHECK(reflectors_of(plan_of(mesh(11, 2, "reflectors = []\n"))).empty());
  const auto eleven = plan_of(mesh(11));
  CHECK(reflectors_of(eleven) == std::vector<std::string>{"V1-1", "V2-1", "V3-1"});
  CHECK(eleven.sessions == Sessions::to_reflectors);
  std::size_t sessions = 0;
  for (const auto& link : eleven.links) sessions += eleven.has_session(link) ? 1 : 0;
  CHECK(sessions == 3 * 20 - 3);
  SECTION("the lock keeps them") {
    const auto more = organisation() + site(99) + mesh(12).substr(organisation().size());
    CHECK(reflectors_of(plan_of(more, eleven.lock)) == reflectors_of(eleven));
  }
  SECTION("removed reflectors are replaced") {
    auto lock = eleven.lock;
    lock.reflectors = {"V5-2", "V77-1"};
    CHECK(reflectors_of(plan_of(mesh(11), lock)) ==
          std::vector<std::string>{"V1-1", "V2-1", "V5-2"});
  }
}

TEST_CASE("every gateway must have a link to a reflector") {
  CHECK_THAT(faults_of(mesh(3, 2, "reflectors = [\"V2-1\"]\n")),
             ContainsSubstring("gateway V2-2 has no link to a route reflector; add a gateway"));
  CHECK(faults_of(mesh(3, 2, "reflectors = [\"V2-1\", \"V3-2\"]\n")).empty());
}

TEST_CASE("in a mixed underlay a link uses a family that both ends have") {
  const std::string head = organisation() + "[[site]]\nname = \"a\"\n";
  const std::string site_b = "[[site]]\nname = \"b\"\n";
  const auto plan = plan_of(head + gateway("A6", "\"2001:db8:1::1\"") +
                            gateway("A46", "[\"192.0.2.1\", \"2001:db8:1::2\"]") + site_b +
                            gateway("B4", "\"192.0.2.2\"") +
                            gateway("B46", "[\"192.0.2.3\", \"2001:db8:2::1\"]"));
  REQUIRE(plan.links.size() == 3);              // A6 cannot reach B4
  CHECK(plan.links[0].family == Family::ipv6);  // A6, B46
  CHECK(plan.links[1].family == Family::ipv4);  // A46, B4
  CHECK(plan.links[2].family == Family::ipv6);  // A46, B46
}

TEST_CASE("an explicit topology whose sites are in two parts is a fault") {
  const auto link = [](const std::string& a, const std::string& b) {
    return "[[link]]\nbetween = [\"V" + a + "-1\", \"V" + b + "-1\"]\n";
  };
  const auto sites = mesh(5, 1, "mesh = \"explicit\"\n");
  const auto one_part = link("1", "3") + link("3", "2") + link("4", "5");
  CHECK(faults_of(sites + one_part) == "30: site 4 has no path to site 1: no links join them\n");
  CHECK(faults_of(sites + one_part + link("2", "5")).empty());
  CHECK(faults_of(sites + link("2", "3")) ==
        "6: site 1 has no link\n30: site 4 has no link\n38: site 5 has no link\n");
}

TEST_CASE("the cost of a link is explicit, derived from its bandwidth, or that of 1 Gbit/s") {
  const auto with = [](const std::string& what) {
    const auto plan =
        plan_of(mesh(3, 1) + "[[link]]\nbetween = [\"V1-1\", \"V2-1\"]\n" + what + "\n");
    return std::array{plan.cost_of(plan.links[0]), plan.cost_of(plan.links[1])};
  };
  CHECK(with("") == std::array{0U, 0U});
  CHECK(with("cost = 30") == std::array{30U, 100U});
  CHECK(with("bandwidth = 10000") == std::array{10U, 100U});
  CHECK(with("bandwidth = 50") == std::array{2000U, 100U});
  CHECK(with("bandwidth = 400000") == std::array{1U, 100U});
  CHECK(with("bandwidth = 50\ncost = 30") == std::array{30U, 100U});
}

TEST_CASE("router IDs work above 255 sites, and a site with too many gateways is a fault") {
  CHECK(text_of_id(plan_of(mesh(257, 1, "mesh = \"hub-and-spoke\"\nhubs = \"1\"\n"))
                       .lock.ids.at("V257-1")) == "0.1.1.1");
  CHECK_THAT(faults_of(mesh(2, 128)),
             ContainsSubstring("site 1 has more than 127 gateways or routers"));
}
