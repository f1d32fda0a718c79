// What the user's topology file says, checked: sites, their gateways, and the links between them.
// Everything keeps the line it was written in, so that a later fault can name it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::plan {

using Line = std::size_t;  // from 1

template <typename T>
struct At {
  T value;
  Line line = 0;
};

// One line for the user: "FILE:LINE: TEXT".
struct Fault {
  Line line = 0;
  std::string text;
};
using Faults = std::vector<Fault>;

enum class Mesh : std::uint8_t { full, hub_and_spoke, explicit_links };
enum class Family : std::uint8_t { ipv4, ipv6 };
// Who reflects iBGP routes: chosen in a full mesh of more than ten sites, always, or as named.
enum class Reflection : std::uint8_t { by_size, chosen, named };
std::string_view name_of(Family family);

// Full meshes of more sites than this get route reflectors unless the topology says otherwise.
inline constexpr std::size_t largest_ibgp_mesh_sites = 10;
inline constexpr std::size_t longest_ifname = 15;

struct PortRange {
  std::uint16_t first = 10000;
  std::uint16_t last = 29999;
  [[nodiscard]] std::size_t size() const { return last - first + std::size_t{1}; }
};

struct Organisation {
  std::string name = "routevpn";
  std::uint32_t as = 0;
  std::optional<At<IpPrefix>> interconnect4;  // a /30 for each link
  std::optional<At<IpPrefix>> interconnect6;  // a /127 for each link
  bool names_interconnect6 = false;           // well or badly
  At<PortRange> ports;                        // one for each link, the same at both ends
  Mesh mesh = Mesh::full;
  bool names_mesh_badly = false;  // a fault already, and so are these
  bool names_hubs_badly = false;
  Family prefer = Family::ipv6;       // of the underlay, where both ends have both
  std::vector<At<std::string>> hubs;  // sites
  Reflection reflection = Reflection::by_size;
  std::vector<At<std::string>> reflectors;  // gateways, when named
  Line line = 0;
};

// How things are called on a gateway. As the file has it {name} is the gateway and {site} its site.
struct Surroundings {
  std::string netns = "private";
  std::string public_netns;  // empty: where routevpn and the public BIRD are started
  std::string cert = "/etc/routevpn/{name}.cert";
  std::string key = "/etc/routevpn/{name}.key";
  std::string ca = "/etc/routevpn/ca.cert";
  std::string crl;                              // empty: none
  std::string run_dir;                          // empty: the program's default
  std::string include = "/etc/routevpn/bird";   // where the constant part of the BIRD files is
  std::vector<std::string> underlay = {"wan"};  // public interfaces with routers behind them
  std::vector<std::string> lan = {"lan"};       // private interfaces towards the site
};

struct Gateway {
  std::string name;
  std::size_t site = 0;
  std::vector<IpAddress> addresses;  // public, at most one of each family
  std::string ifname;                // of the interfaces that lead to it
  Surroundings around;
  Line line = 0;

  [[nodiscard]] const IpAddress* address(Family family) const;
};

struct Router {
  std::string name;
  std::size_t site = 0;
  std::vector<std::string> lan;  // towards the gateways
  std::string include;
  Line line = 0;
};

struct Site {
  std::string name;
  std::vector<At<IpPrefix>> prefixes;
  std::vector<std::size_t> gateways;  // indices into Topology::gateways
  std::vector<std::size_t> routers;
  Line line = 0;
};

// A [[link]] of the file: in an explicit topology it makes the link, elsewhere it adds to one.
struct LinkWish {
  std::vector<At<std::string>> ends;      // as written: two
  std::array<std::size_t, 2> gateways{};  // the same, found
  std::optional<std::uint32_t> cost;
  std::optional<std::uint32_t> bandwidth_mbit;
  std::optional<At<Family>> family;
  Line line = 0;
};

struct Topology {
  Organisation organisation;
  std::vector<Site> sites;
  std::vector<Gateway> gateways;  // in the order of the file
  std::vector<Router> routers;
  std::vector<LinkWish> links;

  [[nodiscard]] std::optional<std::size_t> find_gateway(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> find_site(std::string_view name) const;
  // Whether any site has prefixes of this family: whether it is routed inside.
  [[nodiscard]] bool carries(Family family) const;
  [[nodiscard]] bool has_underlay(Family family) const;
};

struct ParsedTopology {
  Topology topology;  // of use only without faults
  Faults faults;      // in the order of their lines
};

// A default route: it is no network of the site's own, and several sites may have it.
inline bool is_default(const IpPrefix& prefix) {
  return prefix.length == 0;
}

// A gateway's name as a word of BIRD: V2_1 for V2-1.
std::string symbol_of(std::string_view name);

// `text` is the content of a TOML file.
ParsedTopology parse_topology(std::string_view text);

}  // namespace routevpn::plan
