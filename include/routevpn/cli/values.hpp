// The values of options, from text. All throw UsageError that says what is allowed, and leave it to
// the caller to name the option.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "routevpn/options/link_options.hpp"

namespace routevpn::cli {

using namespace options;

// Decimal, or hexadecimal after 0x. `unit` follows the bounds in the message: " milliseconds".
std::uint32_t parse_number(const std::string& text, std::uint32_t lowest, std::uint32_t highest,
                           const std::string& unit = "");
std::uint16_t parse_port(const std::string& text);
bool parse_yes_no(const std::string& text);

PeerAddress parse_peer(const std::string& text);      // HOST[:PORT]
ListenAddress parse_listen(const std::string& text);  // [ADDR:]PORT
std::string parse_host(const std::string& text);      // alone: IPv6 with or without brackets

std::string parse_ifname(const std::string& text);
IpPrefix parse_interface_address(const std::string& text);
IpPrefix parse_network(const std::string& text);

std::string parse_text(const std::string& text);  // anything printable but nothing
std::optional<unsigned> parse_mtu(const std::string& text);
std::optional<std::uint8_t> parse_dscp(const std::string& text);  // none: copy
Crypto parse_crypto(const std::string& text);
LogLevel parse_log_level(const std::string& text);
LogFormat parse_log_format(const std::string& text);
std::chrono::milliseconds parse_timeout(const std::string& text);  // seconds, with decimals

}  // namespace routevpn::cli
