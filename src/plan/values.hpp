// The values of a topology file, from text. All throw UsageError that says what is allowed.
#pragma once

#include <string>
#include <string_view>

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// Of a gateway, site router or site: it names files and, with a prefix, protocols of BIRD.
std::string parse_name(const std::string& text);
std::string parse_title(const std::string& text);  // of the organisation and, with " CA", of its CA
// A network that a site has, of unicast addresses, or 0.0.0.0/0 or ::/0: it leads to all others.
IpPrefix parse_site_prefix(const std::string& text);
IpPrefix parse_pool4(const std::string& text);
IpPrefix parse_pool6(const std::string& text);
IpAddress parse_public_address(const std::string& text);
PortRange parse_ports(const std::string& text);  // FIRST-LAST
Mesh parse_mesh(const std::string& text);
Family parse_family(const std::string& text);
std::string parse_ifname(const std::string& text);
std::string parse_interface_pattern(const std::string& text);  // '*' for any characters
// What goes into other programs' files as it is; {name} and {site} may stand in it.
std::string parse_template(const std::string& text);

bool overlap(const IpPrefix& one, const IpPrefix& other);

}  // namespace routevpn::plan
