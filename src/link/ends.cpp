#include "routevpn/link/ends.hpp"

#include <algorithm>

#include "routevpn/link/mtu.hpp"

namespace routevpn::link {

namespace {

host::Netns namespace_of(const std::string& name, const std::string& option) {
  return name.empty() ? host::Netns::current() : host::Netns::open(name, option);
}

outside::UdpSocket open_socket(const cli::LinkOptions& options, const host::Netns& where) {
  const host::NetnsScope scope(where);
  outside::UdpOptions socket;
  if (options.listen) {
    socket.address = options.listen->address;
    socket.port = options.listen->port;
  }
  socket.mark = options.fwmark;
  return outside::UdpSocket::open(socket);
}

bool has_family(const cli::LinkOptions& options, bool v4) {
  const auto is = [v4](const IpPrefix& prefix) { return prefix.address.is_v4() == v4; };
  return std::any_of(options.addresses.begin(), options.addresses.end(), is) ||
         std::any_of(options.routes.begin(), options.routes.end(), is);
}

// The first guess, while no peer is known: corrected before the carrier goes on for the first time.
unsigned first_mtu(const cli::LinkOptions& options, const host::Netns& where) {
  if (options.mtu) return *options.mtu;
  const auto suite = record::CipherSuite::aes_128_gcm;
  const bool v6_inside = has_family(options, false);
  const auto peer = options.peers.empty() ? std::nullopt : IpAddress::parse(options.peers[0].host);
  if (!peer) {
    const bool v4 = options.listen && options.listen->address && options.listen->address->is_v4();
    return inside_mtu(ethernet_mtu, v4, suite, v6_inside);
  }
  const host::NetnsScope scope(where);
  const auto outside = outside::route_mtu({*peer, options.peers[0].port}, options.fwmark);
  return inside_mtu(outside.value_or(ethernet_mtu), peer->is_v4(), suite, v6_inside);
}

std::optional<host::Guardian> start_guardian(const cli::LinkOptions& options,
                                             const std::string& ifname, const host::Netns& where) {
  const host::GuardianDuties duties{ifname,
                                    options.nat,
                                    options.fwmark,
                                    options.table,
                                    options.routes,
                                    has_family(options, true),
                                    has_family(options, false)};
  if (!duties.any()) return std::nullopt;
  return host::Guardian::start(duties, where);
}

}  // namespace

Ends open_ends(const cli::LinkOptions& options) {
  auto public_netns = namespace_of(options.public_netns, "--public-netns");
  auto private_netns = namespace_of(options.netns, "--netns");
  auto socket = open_socket(options, public_netns);
  const unsigned mtu = first_mtu(options, public_netns);

  const host::NetnsScope scope(private_netns);
  auto tun = inside::Tun::create(options.ifname);
  host::Netlink netlink;
  netlink.set_up({tun.name(), mtu, options.addresses, options.routes, options.table});
  auto guardian = start_guardian(options, tun.name(), private_netns);
  return {std::move(public_netns), std::move(private_netns), std::move(socket),
          std::move(tun),          std::move(netlink),       mtu,
          std::move(guardian)};
}

}  // namespace routevpn::link
