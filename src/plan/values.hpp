// Parses the values of a topology file. Each function throws UsageError with the allowed values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// The name of a gateway, site router or site: used in file names and in BIRD's protocol names.
std::string parse_name(const std::string& text);
std::string parse_title(const std::string& text);     // the organisation; with " CA", its CA
IpPrefix parse_site_prefix(const std::string& text);  // unicast, or a default route
IpPrefix parse_pool4(const std::string& text);
IpPrefix parse_pool6(const std::string& text);
IpPrefix parse_interface_address(const std::string& text);  // ADDRESS/LENGTH
bool is_host_name(std::string_view text);                   // a DNS name, and no address
IpAddress parse_public_address(const std::string& text);
SocketAddress parse_exporter(const std::string& text);  // ADDRESS:PORT, [ADDRESS]:PORT
PortRange parse_ports(const std::string& text);         // FIRST-LAST
Mesh parse_mesh(const std::string& text);
Accept parse_accept(const std::string& text);
Announce parse_announce(const std::string& text);
Family parse_family(const std::string& text);
std::string parse_detection(const std::string& text);  // fast, normal, patient
std::string parse_ifname(const std::string& text);
std::string parse_interface_pattern(const std::string& text);  // '*' matches any characters
// Text that is copied into other programs' files; it may contain {name} and {site}.
std::string parse_template(const std::string& text);

// Stands for the host's own namespace in names of units and files.
inline constexpr std::string_view public_name = "public";
// The namespace is given as a path, not by its name.
bool is_path(std::string_view netns);
// Far below the 255 characters of a unit's name (systemd.unit(5)) and of a file's name.
inline constexpr std::size_t longest_unit_name = 64;
bool is_unit_name(std::string_view name);

// Nothing unless the text is one decimal number of at most `highest`.
std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t highest);

bool overlap(const IpPrefix& one, const IpPrefix& other);

// "A, B and C" for the last word "and".
std::string listed(const std::vector<std::string_view>& words, const std::string& last);

}  // namespace routevpn::plan
