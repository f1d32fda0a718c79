#include "catch.hpp"
#include "topologies.hpp"

using namespace routevpn::plan;

TEST_CASE("a topology file is parsed") {
  const auto topology = topology_of(source("lab/topology.toml"));
  CHECK(topology.organisation.name == "routevpn lab");
  CHECK(topology.organisation.as == 65000);
  CHECK(topology.organisation.mesh == Mesh::full);
  REQUIRE(topology.sites.size() == 3);
  REQUIRE(topology.gateways.size() == 6);
  const auto& gateway = topology.gateways[3];
  CHECK(gateway.name == "V2-2");
  CHECK(gateway.site == 1);
  CHECK(gateway.ifname == "rv2-2");
  CHECK(gateway.address(Family::ipv4) == nullptr);
  CHECK(gateway.address(Family::ipv6)->to_string() == "2001:db8:2::2");
  CHECK(gateway.settings.netns == "V2-2.private");
  CHECK(gateway.settings.key == "/run/routevpn-lab/V2-2/pki/V2-2.key");
  CHECK(gateway.exporter->to_string() == "10.0.2.12:9586");
  CHECK(topology.sites[1].gateways == std::vector<std::size_t>{2, 3});
  CHECK(topology.routers[2].name == "R3");
  CHECK(topology.sites[2].prefixes[1].value.to_string() == "2001:db8:a3::/64");
}

TEST_CASE("a gateway's settings replace [defaults], which replace the built-in defaults") {
  const auto topology = topology_of(organisation() + R"(
[defaults]
cert = "/etc/{site}/{name}.pem"
underlay = ["eth0", "eth1"]
[[site]]
name = "a"
prefixes = "10.0.1.0/24"
gateway = [{ name = "paris", address = "2001:db8:1::1", netns = "inside-{site}" }]
[[site]]
name = "b"
prefixes = "10.0.2.0/24"
gateway = [{ name = "V2", address = "2001:db8:2::1" }]
)");
  CHECK(topology.gateways[0].ifname == "rvparis");
  CHECK(topology.gateways[0].settings.netns == "inside-a");
  CHECK(topology.gateways[1].settings.netns == "private");
  CHECK(topology.gateways[1].settings.cert == "/etc/b/V2.pem");
  std::string names;
  for (const auto& interface : topology.gateways[1].settings.underlay) names += interface.name;
  for (const auto& interface : topology.gateways[1].settings.lan) names += " " + interface.name;
  CHECK(names == "eth0eth1 lan");
  CHECK(topology.gateways[1].settings.key == "/etc/routevpn/pki/V2.key");
}
