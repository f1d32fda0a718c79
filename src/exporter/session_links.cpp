#include "routevpn/exporter/session_links.hpp"

#include <algorithm>

#include "fields.hpp"

namespace routevpn::exporter {

namespace {

// The planner gives BIRD's socket the name of its namespace, and "public" in the host's.
std::string bird_of(const std::string& netns) {
  return netns.empty() ? "public" : netns.substr(netns.rfind('/') + 1);
}

std::vector<IpPrefix> networks_of(const json& status) {
  std::vector<IpPrefix> networks;
  const auto& addresses = member(status, "addresses");
  if (!addresses.is_array()) return networks;
  for (const auto& address : addresses) {
    if (!address.is_string()) continue;
    const auto prefix = IpPrefix::parse(address.get_ref<const std::string&>());
    if (prefix) networks.push_back(prefix->network());
  }
  return networks;
}

}  // namespace

SessionLinks::SessionLinks(const Report& report) {
  for (const auto& link : report.links) {
    links_.push_back({link.name, text(link.status, "ifname"), bird_of(text(link.status, "netns")),
                      networks_of(link.status)});
  }
}

bool SessionLinks::carries(const Ends& ends, const bird::BgpSession& session) {
  if (!session.zone.empty()) return ends.ifname == session.zone;
  const auto neighbor = IpAddress::parse(session.neighbor);
  return neighbor && std::ranges::any_of(ends.networks, [&](const IpPrefix& network) {
           return network.contains(*neighbor);
         });
}

std::string SessionLinks::link_of(const BirdReport& bird, const bird::BgpSession& session) const {
  std::string found;
  for (const auto& ends : links_) {
    if (!carries(ends, session)) continue;
    if (ends.bird == bird.name) return ends.link;
    found = ends.link;  // a BIRD whose socket has another name
  }
  return found;
}

std::string SessionLinks::link_at(const std::string& bird, const std::string& ifname) const {
  std::string found;
  for (const auto& ends : links_) {
    if (ifname.empty() || ends.ifname != ifname) continue;
    if (ends.bird == bird) return ends.link;
    found = ends.link;  // a BIRD whose socket has another name
  }
  return found;
}

}  // namespace routevpn::exporter
