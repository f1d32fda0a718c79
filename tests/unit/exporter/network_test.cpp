#include "routevpn/exporter/network.hpp"

#include <nlohmann/json.hpp>

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using Catch::Matchers::StartsWith;
using nlohmann::json;
using options::ScratchDirectory;

TEST_CASE("the network has the gateways and links of the topology") {
  const auto network = read_network(ROUTEVPN_SOURCE_DIR "/lab/topology.toml");
  REQUIRE(network.gateways.size() == 6);
  CHECK(network.gateways[3].name == "V2-2");
  CHECK(network.gateways[3].site == "site2");
  CHECK(network.gateways[3].exporter->to_string() == "10.0.2.12:9586");
  REQUIRE(network.links.size() == 12);
  for (const auto& link : network.links) {
    CAPTURE(link.names[0], link.names[1]);
    for (const std::size_t end : {0U, 1U}) {
      const auto& peer = network.gateways[link.gateways[1 - end]];
      CHECK(link.names[end] == "rv" + peer.name.substr(1));
    }
    CHECK(network.gateways[link.gateways[0]].site != network.gateways[link.gateways[1]].site);
  }
  const auto sites = sites_of(network);
  CHECK(sites.size() == 6);
  CHECK(sites.at("V3-1") == "site3");

  const auto text = json::parse(network_text(network));
  CHECK(
      text["gateways"][0] ==
      json(
          {{"name", "V1-1"}, {"site", "site1"}, {"exporter", "10.0.1.11:9586"}, {"lan", {"lan"}}}));
  CHECK(text["version"] == version_of(network));
  auto other = network;
  other.gateways[5].exporter.reset();
  CHECK(version_of(other) != version_of(network));
  REQUIRE(text["links"].size() == 12);
  CHECK(text["links"][0] == json({{"gateways", {0, 2}}, {"names", {"rv2-1", "rv1-1"}}}));
}

TEST_CASE("without a topology the network is empty") {
  const auto network = read_network("");
  CHECK(network.gateways.empty());
  CHECK(json::parse(network_text(network)) ==
        json::parse(R"({"gateways": [], "links": [], "version": ")" + version_of(network) + "\"}"));
}

TEST_CASE("the sites of gateways need no allocation") {
  CHECK(read_sites(ROUTEVPN_SOURCE_DIR "/lab/topology.toml").at("V3-1") == "site3");
  CHECK(read_sites("").empty());
}

TEST_CASE("faults of the topology name the option, the file and the line") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("net.toml", "[organisation]\nas = 0\n");
  try {
    (void)read_network(file);
    FAIL("the file was accepted");
  } catch (const UsageErrors& errors) {
    REQUIRE(errors.lines.size() >= 2);
    CHECK_THAT(errors.lines[0], StartsWith("--topology " + file + ":1: "));
  }
}
