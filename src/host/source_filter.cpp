#include "source_filter.hpp"

namespace routevpn::host {

namespace {

std::string accept_rule(const std::vector<IpPrefix>& prefixes, bool v4) {
  std::string elements;
  for (const auto& prefix : prefixes) {
    if (prefix.address.is_v4() != v4) continue;
    elements.append(elements.empty() ? "" : ", ").append(prefix.to_string());
  }
  if (elements.empty()) return {};
  return (v4 ? "ip saddr { " : "ip6 saddr { ") + elements + " } accept; ";
}

// A router behind the peer sends an ICMP error from any of its addresses, also from one without a
// route. An expression cannot look up the route to the packet that the error quotes.
constexpr auto accept_errors =
    "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept; "
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } "
    "accept; ";

}  // namespace

// The chain sees each super-packet once, before connection tracking. For `fib`, the kernel looks up
// the route to the source as for a packet of this host without mark; `missing` means that no next
// hop of that route is the interface. IPv6 link-local sources belong to every interface. MLD also
// uses the unspecified address, which no router forwards (RFC 4291 section 2.5.2).
std::string source_filter(const std::string& ifname, const std::vector<IpPrefix>& prefixes) {
  return std::string("counter ") + refused_sources_counter +
         " { }; chain prerouting { type filter hook prerouting priority raw; iifname != \"" +
         ifname + "\" accept; ip6 saddr { fe80::/10, :: } accept; " + accept_rule(prefixes, true) +
         accept_rule(prefixes, false) + accept_errors +
         "fib saddr . iif oif missing counter name " + refused_sources_counter + " drop; };";
}

}  // namespace routevpn::host
