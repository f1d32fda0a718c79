#include "routevpn/plan/topology.hpp"

#include <algorithm>

namespace routevpn::plan {

namespace {

template <typename T>
std::optional<std::size_t> find_named(const std::vector<T>& all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &T::name);
  if (at == all.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all.begin());
}

// Removes the digits at the front of `text`, and returns them without leading zeros.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  auto digits = text.substr(0, end);
  text.remove_prefix(end);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

}  // namespace

std::string_view name_of(Family family) {
  return family == Family::ipv4 ? "IPv4" : "IPv6";
}

std::vector<std::string> interfaces_within(const Gateway& gateway, const IpPrefix& prefix) {
  std::vector<std::string> names;
  for (const auto& interface : gateway.settings.lan) {
    const bool within = std::ranges::any_of(interface.addresses, [&](const auto& address) {
      return address.value.length > prefix.length && prefix.contains(address.value.address);
    });
    if (within) names.push_back(interface.name);
  }
  return names;
}

std::string symbol_of(std::string_view name) {
  std::string symbol(name);
  std::ranges::replace_if(
      symbol, [](char c) { return c == '-' || c == '.'; }, '_');
  return symbol;
}

bool natural_less(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  auto left = a;
  auto right = b;
  while (!left.empty() && !right.empty()) {
    if (is_digit(left.front()) && is_digit(right.front())) {
      const auto x = take_digits(left);
      const auto y = take_digits(right);
      if (x != y) return std::pair(x.size(), x) < std::pair(y.size(), y);
      continue;
    }
    if (left.front() != right.front()) return left.front() < right.front();
    left.remove_prefix(1);
    right.remove_prefix(1);
  }
  return std::pair(left.size(), a) < std::pair(right.size(), b);
}

const IpAddress* Gateway::address(Family family) const {
  const auto at = std::ranges::find(addresses, family, family_of);
  return at == addresses.end() ? nullptr : &*at;
}

std::optional<std::size_t> Topology::find_gateway(std::string_view name) const {
  return find_named(gateways, name);
}

std::optional<std::size_t> Topology::find_site(std::string_view name) const {
  return find_named(sites, name);
}

}  // namespace routevpn::plan
