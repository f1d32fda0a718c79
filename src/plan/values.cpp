#include "values.hpp"

#include <algorithm>
#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/pki/index.hpp"
#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

namespace {

// A BIRD symbol has at most 63 characters, and the planner puts "IBGP_" before the name.
constexpr std::size_t longest_name = 40;
// A common name has at most 64 characters (RFC 5280 appendix A.1), and " CA" follows.
constexpr std::size_t longest_title = 60;

IpPrefix parse_network(const std::string& text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix || text.find('/') == std::string::npos) {
    throw UsageError("must be ADDRESS/LENGTH, like 10.0.1.0/24 or 2001:db8:a1::/64");
  }
  if (*prefix != prefix->network()) {
    throw UsageError("has bits set after its length; the network is " +
                     prefix->network().to_string());
  }
  return *prefix;
}

// Unspecified, loopback, IPv6 link-local and multicast networks are unusable on an interconnect.
// IPv4 link-local addresses are usable there, because an interconnect is one link.
bool is_usable_on_link(const IpPrefix& network) {
  static const std::array unusable = {
      *IpPrefix::parse("0.0.0.0/8"),     *IpPrefix::parse("127.0.0.0/8"),
      *IpPrefix::parse("224.0.0.0/3"),   *IpPrefix::parse("::/127"),
      *IpPrefix::parse("::ffff:0:0/96"), *IpPrefix::parse("fe80::/10"),
      *IpPrefix::parse("ff00::/8")};
  return std::ranges::none_of(unusable,
                              [&](const IpPrefix& other) { return overlap(network, other); });
}

bool is_routable(const IpPrefix& network) {
  static const IpPrefix link_local4 = *IpPrefix::parse("169.254.0.0/16");
  return is_usable_on_link(network) && !overlap(network, link_local4);
}

IpPrefix parse_pool(const std::string& text, bool v4, unsigned longest) {
  const auto pool = parse_network(text);
  if (pool.address.is_v4() != v4) {
    throw UsageError(v4 ? "must be an IPv4 network" : "must be an IPv6 network");
  }
  if (pool.length < 8 || pool.length > longest) {
    throw UsageError("must have a length of 8 to " + std::to_string(longest));
  }
  if (!is_usable_on_link(pool)) throw UsageError("contains addresses that no interface can have");
  return pool;
}

// All host bits of an IPv4 address are set.
bool is_broadcast(const IpPrefix& prefix) {
  if (!prefix.address.is_v4()) return false;
  for (unsigned bit = prefix.length; bit < prefix.address.bits(); ++bit) {
    if ((prefix.address.bytes()[bit / 8] >> (7 - bit % 8) & 1) == 0) return false;
  }
  return true;
}

template <typename Enum>
Enum parse_word(const std::vector<std::pair<std::string_view, Enum>>& words,
                const std::string& text) {
  std::vector<std::string_view> known;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    known.push_back(word);
  }
  throw UsageError("must be " + listed(known, "or"));
}

bool is_unquoted(char c) {  // printable ASCII that needs no escape in quotes
  return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string parse_name(const std::string& text) {
  pki::require_name(text);
  if (text == manifest_name || text == dot_name)
    throw UsageError("is reserved for a file of the planner");
  if (text.size() > longest_name) {
    throw UsageError("must not be longer than " + std::to_string(longest_name) + " characters");
  }
  return text;
}

std::string parse_title(const std::string& text) {
  const bool good =
      !text.empty() && text.size() <= longest_title && std::ranges::all_of(text, is_unquoted);
  if (!good) throw UsageError("must be 1 to 60 printable ASCII characters without quotes and '\\'");
  return text;
}

IpPrefix parse_site_prefix(const std::string& text) {
  const auto prefix = parse_network(text);
  if (prefix.length == 0) return prefix;  // a default route
  if (!is_routable(prefix)) throw UsageError("is not a routable network");
  return prefix;
}

IpPrefix parse_pool4(const std::string& text) {
  return parse_pool(text, true, 30);
}

IpPrefix parse_pool6(const std::string& text) {
  return parse_pool(text, false, 127);
}

// The last bit of a /31 or /127 is an address of the other end (RFC 3021, RFC 6164).
IpPrefix parse_interface_address(const std::string& text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix || text.find('/') == std::string::npos || prefix->length == 0) {
    throw UsageError("must be ADDRESS/LENGTH, like 10.0.1.11/24 or 2001:db8:a1::11/64");
  }
  const auto bits = prefix->address.bits();
  if (!is_routable({prefix->address, bits})) throw UsageError("is not an address of an interface");
  if (bits - prefix->length < 2) return *prefix;
  if (*prefix == prefix->network()) {
    throw UsageError("is the address of the network, not of an interface");
  }
  if (is_broadcast(*prefix)) {
    throw UsageError("is the broadcast address of the network");
  }
  return *prefix;
}

// RFC 1123 section 2.1: labels of 1 to 63 letters, digits and hyphens. The last label begins with a
// letter, so that no mistyped address is a name.
bool is_host_name(std::string_view text) {
  constexpr std::size_t longest_host = 253;
  constexpr std::size_t longest_label = 63;
  if (text.size() > longest_host) return false;
  std::string_view label;
  for (std::size_t begin = 0; begin <= text.size(); begin += label.size() + 1) {
    label = text.substr(begin, std::min(text.find('.', begin), text.size()) - begin);
    const bool good =
        !label.empty() && label.size() <= longest_label && label.front() != '-' &&
        label.back() != '-' &&
        std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
    if (!good) return false;
  }
  return is_letter_or_digit(label.front()) && (label.front() < '0' || label.front() > '9');
}

IpAddress parse_public_address(const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) {
    throw UsageError("must be an IPv4 or IPv6 address without a length, or a DNS name");
  }
  if (!is_routable({*address, address->bits()}))
    throw UsageError("is not reachable from other gateways");
  return *address;
}

SocketAddress parse_exporter(const std::string& text) {
  const auto colon = std::min(text.rfind(':'), text.size());
  auto host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_number(text.substr(std::min(colon + 1, text.size())), 65535).value_or(0);
  if (!address || address->is_v4() == in_brackets || port == 0) {
    throw UsageError("must be ADDRESS:PORT, with an IPv6 address in brackets");
  }
  if (!is_routable({*address, address->bits()}))
    throw UsageError("is not reachable from other gateways");
  return {*address, static_cast<std::uint16_t>(port)};
}

PortRange parse_ports(const std::string& text) {
  const auto dash = std::min(text.find('-'), text.size());
  const auto first = parse_number(text.substr(0, dash), 65535).value_or(0);
  const auto last = parse_number(text.substr(std::min(dash + 1, text.size())), 65535).value_or(0);
  if (first == 0 || last < first) throw UsageError("must be FIRST-LAST, two ports of 1 to 65535");
  return {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)};
}

Mesh parse_mesh(const std::string& text) {
  return parse_word<Mesh>({{"full", Mesh::full},
                           {"hub-and-spoke", Mesh::hub_and_spoke},
                           {"explicit", Mesh::explicit_links}},
                          text);
}

Accept parse_accept(const std::string& text) {
  return parse_word<Accept>(
      {{"sites", Accept::sites}, {"routed", Accept::routed}, {"any", Accept::any}}, text);
}

Announce parse_announce(const std::string& text) {
  return parse_word<Announce>({{"exact", Announce::exact},
                               {"aggregate", Announce::aggregate},
                               {"more-specific", Announce::more_specific}},
                              text);
}

Family parse_family(const std::string& text) {
  return parse_word<Family>({{"ipv4", Family::ipv4}, {"ipv6", Family::ipv6}}, text);
}

std::string parse_detection(const std::string& text) {
  return parse_word<std::string>({{"fast", text}, {"normal", text}, {"patient", text}}, text);
}

std::string parse_ifname(const std::string& text) {
  if (!is_interface_name(text)) throw UsageError("must be " + std::string(interface_name_rule));
  if (text == "lo") throw UsageError("is the loopback interface, which each namespace has");
  return text;
}

std::string parse_interface_pattern(const std::string& text) {
  if (text == "lo") return parse_ifname(text);
  const bool is_pattern =
      text.size() <= max_interface_name_bytes &&
      std::ranges::all_of(text, [](char c) { return c == '*' || is_interface_character(c); });
  const bool good = is_interface_name(text) || (text.find('*') != std::string::npos && is_pattern);
  if (good) return text;
  throw UsageError("must be " + std::string(interface_name_rule) +
                   "; the wildcard '*' stands for any characters");
}

std::string parse_template(const std::string& text) {
  const bool good = !text.empty() && text.front() != ' ' && text.back() != ' ' &&
                    std::ranges::all_of(text, is_unquoted) && text.find('#') == std::string::npos;
  if (!good) {
    throw UsageError("must be printable ASCII without quotes, '\\', '#' and blanks at the ends");
  }
  for (auto at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1)) {
    if (text.compare(at, 6, "{name}") == 0 || text.compare(at, 6, "{site}") == 0) continue;
    throw UsageError("may contain {name} and {site}, but no other braces");
  }
  return text;
}

bool is_path(std::string_view netns) {
  return netns.find('/') != std::string_view::npos;
}

bool is_unit_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_unit_name && is_letter_or_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) {
           return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
         });
}

std::string listed(const std::vector<std::string_view>& words, const std::string& last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " " + last + " " : ", ";
    text += words[i];
  }
  return text;
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t highest) {
  const auto number = to_number(text);
  return number && *number <= highest ? number : std::nullopt;
}

bool overlap(const IpPrefix& one, const IpPrefix& other) {
  return one.length <= other.length ? one.contains(other.address) : other.contains(one.address);
}

}  // namespace routevpn::plan
