#include "tools/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "routevpn/base/error.hpp"

namespace routevpn::test {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view what, std::string_view allowed) {
  throw UsageError(std::string(what) + ": '" + std::string(text) + "' is not " +
                   std::string(allowed));
}

struct Unit {
  std::string_view suffix;
  double factor;
};

// A number >= 0 with one of the suffixes.
template <std::size_t N>
double parse_with_unit(std::string_view text, std::string_view what,
                       const std::array<Unit, N>& units, std::string_view allowed) {
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || number < 0 || !std::isfinite(number)) refuse(text, what, allowed);
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const auto& unit : units) {
    if (unit.suffix == suffix) return number * unit.factor;
  }
  if (number == 0 && suffix.empty()) return 0;
  refuse(text, what, allowed);
}

}  // namespace

Duration parse_duration(std::string_view text, std::string_view what) {
  constexpr std::array<Unit, 3> units = {Unit{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  constexpr auto allowed = "a time of at most an hour as 250us, 10ms or 1.5s";
  const double ns = parse_with_unit(text, what, units, allowed);
  if (ns > 3600e9) refuse(text, what, allowed);
  return Duration(std::llround(ns));
}

double parse_share(std::string_view text, std::string_view what) {
  constexpr std::array<Unit, 2> units = {Unit{"", 1}, {"%", 0.01}};
  constexpr auto allowed = "a share from 0 to 1 as 0.05 or 5%";
  const double share = parse_with_unit(text, what, units, allowed);
  if (share > 1) refuse(text, what, allowed);
  return share;
}

double parse_rate(std::string_view text, std::string_view what) {
  constexpr std::array<Unit, 4> units = {Unit{"", 1}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}};
  return parse_with_unit(text, what, units, "a rate in bits per second as 800k, 100M or 1.5G");
}

std::uint64_t parse_count(std::string_view text, std::string_view what) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end) refuse(text, what, "a number, 0 or more");
  return number;
}

SocketAddress parse_socket_address(std::string_view text, std::string_view what) {
  constexpr auto allowed = "an address and a port as 192.0.2.1:7754 or [2001:db8::1]:7754";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) refuse(text, what, allowed);
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (!address || address->is_v4() == bracketed || error != std::errc{} ||
      rest != port.data() + port.size() || number == 0) {
    refuse(text, what, allowed);
  }
  return {*address, number};
}

}  // namespace routevpn::test
