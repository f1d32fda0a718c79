// The network of a topology file, as the page draws it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/exporter/metrics.hpp"

namespace routevpn::exporter {

struct Network {
  struct Gateway {
    std::string name;
    std::string site;
    std::optional<SocketAddress> exporter;  // none: it is not asked
    std::vector<std::string> lan = {};      // interfaces to its site; '*' matches any characters
  };
  struct Link {
    std::array<std::size_t, 2> gateways;  // indices
    std::array<std::string, 2> names;     // of the link, on each of them
  };
  std::vector<Gateway> gateways;
  std::vector<Link> links;
};

// Empty for an empty path. Both throw UsageErrors with a line for each fault of the file.
Network read_network(const std::string& file);
Sites read_sites(const std::string& file);

Sites sites_of(const Network& network);

// The answer of /api/v1/network: one JSON object with `version`, `gateways` (name, site, exporter,
// lan) and `links` (gateways, names).
std::string network_text(const Network& network);
// Differs between networks: a page sees by it that the exporter has started with another topology.
std::string version_of(const Network& network);

}  // namespace routevpn::exporter
