#include "routevpn/plan/topology.hpp"

#include <algorithm>

namespace routevpn::plan {

namespace {

template <typename T>
std::optional<std::size_t> find_named(const std::vector<T>& all, std::string_view name) {
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const T& item) { return item.name == name; });
  if (at == all.end()) return std::nullopt;
  return static_cast<std::size_t>(at - all.begin());
}

}  // namespace

std::string_view name_of(Family family) {
  return family == Family::ipv4 ? "IPv4" : "IPv6";
}

std::string symbol_of(std::string_view name) {
  std::string symbol(name);
  std::replace_if(
      symbol.begin(), symbol.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return symbol;
}

const IpAddress* Gateway::address(Family family) const {
  for (const auto& own : addresses) {
    if (own.is_v4() == (family == Family::ipv4)) return &own;
  }
  return nullptr;
}

std::optional<std::size_t> Topology::find_gateway(std::string_view name) const {
  return find_named(gateways, name);
}

std::optional<std::size_t> Topology::find_site(std::string_view name) const {
  return find_named(sites, name);
}

}  // namespace routevpn::plan
