#include "routevpn/options/values.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "routevpn/base/text.hpp"

namespace routevpn::options {

namespace {

// A name as getaddrinfo takes it, with the same characters as the name of an interface, or an IPv4
// address. Digits and dots alone are no name.
void require_name_or_v4(const std::string& host) {
  const bool good = !host.empty() && host.size() <= 253 &&
                    std::all_of(host.begin(), host.end(), is_interface_character);
  if (!good) throw UsageError("must be HOST or HOST:PORT, with an IPv6 address in brackets");
  const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos;
  if (numeric && !IpAddress::parse(host)) throw UsageError("is not an IPv4 address");
}

// With a zone behind '%' where the address is link-local.
void require_v6(const std::string& text) {
  const auto percent = text.find('%');
  const auto address = IpAddress::parse(text.substr(0, percent));
  const bool zone_is_empty = percent != std::string::npos && percent + 1 == text.size();
  if (!address || address->is_v4() || zone_is_empty) {
    throw UsageError("has no IPv6 address in its brackets");
  }
}

struct HostAndRest {
  std::string host;  // without brackets
  std::string rest;  // empty, or from ':' on
};

HostAndRest split(const std::string& text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos) throw UsageError("has no closing bracket");
    HostAndRest parts{text.substr(1, end - 1), text.substr(end + 1)};
    require_v6(parts.host);
    if (!parts.rest.empty() && parts.rest.front() != ':') {
      throw UsageError("must have ':PORT' or nothing behind the bracket");
    }
    return parts;
  }
  if (std::count(text.begin(), text.end(), ':') > 1) {
    throw UsageError("needs its IPv6 address in brackets: [ADDRESS]:PORT");
  }
  const auto colon = text.find(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon)};
}

// The address of the prefix whose host bits are all set.
IpAddress last_of(const IpPrefix& prefix) {
  auto bytes = prefix.address.bytes();
  for (unsigned bit = prefix.length; bit < prefix.address.bits(); ++bit) {
    bytes[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  }
  if (!prefix.address.is_v4()) return IpAddress::v6(bytes);
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

// Why no interface can have this address; empty: it can. A prefix with two addresses has neither
// network nor broadcast address (RFC 3021, RFC 6164).
std::string_view no_host_address(const IpPrefix& prefix) {
  const auto& address = prefix.address;
  const auto& bytes = address.bytes();
  const bool v4 = address.is_v4();
  if (std::all_of(bytes.begin(), bytes.end(), [](auto b) { return b == 0; })) {
    return "the unspecified address";
  }
  if (v4 ? bytes[0] >= 224 : bytes[0] == 0xff) return "a multicast or reserved address";
  if (prefix.length == 0) return "in a network of all addresses";
  if (prefix.length + 1 >= address.bits()) return {};
  if (prefix == prefix.network()) {
    return v4 ? "the address of its network" : "the subnet-router anycast address of its network";
  }
  return v4 && address == last_of(prefix) ? "the broadcast address of its network" : "";
}

}  // namespace

std::uint32_t parse_number(const std::string& text, std::uint32_t lowest, std::uint32_t highest,
                           const std::string& unit) {
  const auto number = text.starts_with("0x") ? to_number(text.substr(2), 16) : to_number(text);
  if (!number || *number < lowest || *number > highest) {
    throw UsageError("must be " + std::to_string(lowest) + " to " + std::to_string(highest) + unit);
  }
  return *number;
}

std::uint16_t parse_port(const std::string& text) {
  try {
    return static_cast<std::uint16_t>(parse_number(text, 1, highest_port));
  } catch (const UsageError& error) {
    throw UsageError(std::string("port ") + error.what());
  }
}

bool parse_yes_no(const std::string& text) {
  if (text != "yes" && text != "no") throw UsageError("must be yes or no");
  return text == "yes";
}

PeerAddress parse_peer(const std::string& text) {
  const auto [host, rest] = split(text);
  if (!text.starts_with('[')) require_name_or_v4(host);
  return {host, rest.empty() ? default_port : parse_port(rest.substr(1))};
}

ListenAddress parse_listen(const std::string& text) {
  const auto [host, rest] = split(text);
  if (rest.empty() && !text.starts_with('[') && text.find('.') == std::string::npos) {
    return {std::nullopt, parse_port(text)};
  }
  const auto address = IpAddress::parse(host);
  if (!address || rest.empty()) {
    throw UsageError("must be PORT or ADDRESS:PORT, with an IPv6 address in brackets");
  }
  return {address, parse_port(rest.substr(1))};
}

std::string parse_host(const std::string& text) {
  if (text.find(':') == std::string::npos) {
    require_name_or_v4(text);
    return text;
  }
  const auto [host, rest] = split(text.starts_with('[') ? text : "[" + text + "]");
  if (!rest.empty()) throw UsageError("must be a host alone; its port goes to --port");
  return host;
}

std::string parse_ifname(const std::string& text) {
  if (is_interface_pattern(text)) return text;
  throw UsageError("must be " + std::string(interface_name_rule) + "; '%d' becomes a number");
}

IpPrefix parse_interface_address(const std::string& text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix || text.find('/') == std::string::npos) {
    throw UsageError("must be ADDRESS/LENGTH, like 10.1.2.230/30 or 2001:db8:ff::5/127");
  }
  if (const auto what = no_host_address(*prefix); !what.empty()) {
    throw UsageError("cannot be the address of an interface: it is " + std::string(what));
  }
  return *prefix;
}

IpPrefix parse_network(const std::string& text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) {
    throw UsageError("must be ADDRESS/LENGTH or one address, like 10.0.0.0/8 or 2001:db8::/32");
  }
  if (*prefix != prefix->network()) {
    throw UsageError("has bits behind its length; the network is " + prefix->network().to_string());
  }
  return *prefix;
}

std::string parse_text(const std::string& text) {
  if (text.empty()) throw UsageError("must not be empty");
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) {
    throw UsageError("must not hold control characters");
  }
  return text;
}

std::chrono::milliseconds parse_timeout(const std::string& text) {
  constexpr double longest_seconds = 24.0 * 3600;
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] =
      std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  if (error != std::errc{} || stopped != end || !(seconds >= 0 && seconds <= longest_seconds)) {
    throw UsageError("must be 0 to 86400 seconds");
  }
  return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(seconds * 1000));
}

std::string enumerated(const std::vector<std::string>& words, const std::string& conjunction) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_last = i + 1 == words.size();
    if (i > 0) text += is_last ? " " + conjunction + " " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace routevpn::options
