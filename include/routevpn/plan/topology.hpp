// The topology file, parsed and checked: sites, their gateways, and the links between them.
// Items keep their line number, so that a later fault can name the line.
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

using Line = std::size_t;  // counted from 1

template <typename T>
struct At {
  T value;
  Line line = 0;
};

// An error in the topology file or the lock file. The user sees "FILE:LINE: TEXT".
struct Fault {
  Line line = 0;
  std::string text;
};
using Faults = std::vector<Fault>;

enum class Family : std::uint8_t { ipv4, ipv6 };
inline constexpr std::array both_families = {Family::ipv4, Family::ipv6};
std::string_view name_of(Family family);  // "IPv4", "IPv6"
inline Family family_of(const IpAddress& address) {
  return address.is_v4() ? Family::ipv4 : Family::ipv6;
}

enum class Mesh : std::uint8_t { full, hub_and_spoke, explicit_links };
// Route reflectors of iBGP: the planner chooses them in a large full mesh (by_size) or always
// (chosen), or the file names them.
enum class Reflection : std::uint8_t { by_size, chosen, named };

// What links accept as sources of inner packets: the sites behind the peer, what the routing table
// sends to the peer, or everything.
enum class Accept : std::uint8_t { sites, routed, any };

// What a site announces within its planned prefixes.
enum class Announce : std::uint8_t {
  exact,          // a planned prefix, while the site has a route to exactly that
  aggregate,      // besides, while a smaller network of it is on a planned LAN interface
  more_specific,  // the routes within the planned prefixes, whatever their lengths
};

struct PortRange {
  std::uint16_t first = 10000;
  std::uint16_t last = 29999;
  [[nodiscard]] std::size_t size() const { return last - first + std::size_t{1}; }
};

struct Organisation {
  std::string name = "routevpn";
  std::uint32_t as = 0;
  std::optional<At<IpPrefix>> interconnect4;  // pool with a /30 for each link
  std::optional<At<IpPrefix>> interconnect6;  // pool with a /127 for each link
  At<PortRange> ports;                        // one for each lane of a link, alike at both ends
  Mesh mesh = Mesh::full;
  Accept accept = Accept::sites;
  Family prefer = Family::ipv6;       // underlay family of a link whose ends have both
  bool psk = true;                    // every link has a pre-shared key
  std::string detection;              // --detection of every link; empty: the default
  std::uint32_t lanes = 1;            // of every link
  bool link_local = false;            // an fe80::/64 address on every link
  std::vector<At<std::string>> hubs;  // site names
  Reflection reflection = Reflection::by_size;
  std::vector<At<std::string>> reflectors;  // gateway names, for Reflection::named
  // The value of this key was a fault, so faults that follow from it are not reported.
  bool invalid_mesh = false;
  bool invalid_hubs = false;
  bool invalid_interconnect6 = false;
  // Of sites without this key. Without the line, the file has no such key.
  At<Announce> announce = {Announce::aggregate};
  Line line = 0;

  [[nodiscard]] const std::optional<At<IpPrefix>>& interconnect(Family family) const {
    return family == Family::ipv4 ? interconnect4 : interconnect6;
  }
};

// An interface of a gateway, or a pattern with '*'. An interface without planned addresses has
// those that the machine gives it.
struct Interface {
  std::string name;
  std::vector<At<IpPrefix>> addresses;
};

// Names on one gateway. In the file, {name} stands for the gateway and {site} for its site.
struct GatewaySettings {
  std::string netns = "private";
  std::string public_netns;  // empty: the namespace of the routevpn process and the public BIRD
  std::string cert = "/etc/routevpn/pki/{name}.cert";
  std::string key = "/etc/routevpn/pki/{name}.key";
  std::string ca = "/etc/routevpn/pki/ca.cert";
  // Every planned link reads a CRL: without a CRL, a revocation changes nothing.
  std::string crl = "/etc/routevpn/pki/ca.crl";
  std::string psk_dir = "/etc/routevpn/psk";         // directory of the pre-shared keys
  std::string run_dir;                               // empty: the default of routevpn
  std::string include = "/usr/share/routevpn/bird";  // directory of the constant BIRD files
  std::vector<Interface> underlay = {{"wan", {}}};   // public interfaces to underlay routers
  std::vector<Interface> lan = {{"lan", {}}};        // private interfaces to the site
};

struct Node {
  std::string name;
  std::size_t site = 0;
  Line line = 0;
};

struct Gateway : Node {
  std::vector<IpAddress> addresses;  // public, at most one of each family
  std::string host;                  // or a DNS name of its public address
  bool has_invalid_address = false;  // faults that follow from it are not reported
  std::string ifname;                // of the interfaces on other gateways that lead to this one
  std::optional<SocketAddress> exporter;  // of its routevpn-exporter, in the private network
  GatewaySettings settings;

  [[nodiscard]] const IpAddress* address(Family family) const;
  // Without address and DNS name it can only be the initiator of a link.
  [[nodiscard]] bool is_behind_nat() const { return addresses.empty() && host.empty(); }
  // The family of an unknown address is unknown, so the gateway may have both.
  [[nodiscard]] bool may_have(Family family) const {
    return addresses.empty() || address(family) != nullptr;
  }
};

struct Router : Node {
  std::vector<std::string> lan;  // interfaces to the gateways
  std::string include;
};

struct Site {
  std::string name;
  std::vector<At<IpPrefix>> prefixes;
  At<Announce> announce;              // the organisation's, if the site has none
  std::vector<std::size_t> gateways;  // indices into Topology::gateways
  std::vector<std::size_t> routers;
  Line line = 0;
};

// A [[link]] table. In an explicit topology it creates the link; otherwise it configures a link of
// the mesh, or adds one.
struct LinkEntry {
  std::vector<At<std::string>> ends;      // two gateway names
  std::array<std::size_t, 2> gateways{};  // their indices, the lower first
  std::optional<std::uint32_t> cost;
  std::optional<std::uint32_t> bandwidth_mbit;
  std::optional<At<Family>> family;
  std::optional<bool> psk;
  std::optional<std::string> detection;
  std::optional<std::uint32_t> lanes;
  std::optional<bool> link_local;
  Line line = 0;
};

struct Topology {
  std::string text;  // the file, without a byte order mark
  Organisation organisation;
  std::vector<Site> sites;
  std::vector<Gateway> gateways;  // in the order of the file
  std::vector<Router> routers;
  std::vector<LinkEntry> links;

  [[nodiscard]] std::optional<std::size_t> find_gateway(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> find_site(std::string_view name) const;
};

// A default route does not belong to one site: several sites may have it.
inline bool is_default(const IpPrefix& prefix) {
  return prefix.length == 0;
}

// The interfaces to the site with a smaller network of this prefix.
std::vector<std::string> interfaces_within(const Gateway& gateway, const IpPrefix& prefix);

// A gateway's name as a BIRD symbol: V2_1 for V2-1.
std::string symbol_of(std::string_view name);

// Compares digits by their numeric value: "V2-1" is less than "V10-1".
bool natural_less(std::string_view a, std::string_view b);

// `text` is the content of a TOML file. Adds faults sorted by line; the result is valid without
// any.
Topology parse_topology(std::string_view text, Faults& faults);

}  // namespace routevpn::plan
