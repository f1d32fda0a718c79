// Numbers with units on the command lines of the test tools.
#pragma once

#include <cstdint>
#include <string_view>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"

namespace routevpn::test {

// Each throws UsageError with the name `what` for any other text than the examples show.
Duration parse_duration(std::string_view text, std::string_view what);  // 250us, 10ms, 1.5s, 0
double parse_share(std::string_view text, std::string_view what);       // 0..1: 0.05, 5%
double parse_rate(std::string_view text, std::string_view what);        // bits/s: 800k, 100M, 1.5G
std::uint64_t parse_count(std::string_view text, std::string_view what);
// 192.0.2.1:7754, [2001:db8::1]:7754; port 1..65535
SocketAddress parse_socket_address(std::string_view text, std::string_view what);

}  // namespace routevpn::test
