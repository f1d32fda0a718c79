// The options of one link: each default stands here and nowhere else.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::options {

inline constexpr std::uint16_t default_port = 7754;
inline constexpr unsigned highest_port = 65535;
inline constexpr std::uint32_t most_lanes = 16;
inline constexpr std::size_t most_peers = 255;  // so that a byte can count them

struct PeerAddress {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = default_port;
  [[nodiscard]] std::string to_string() const {  // IPv6 in brackets
    const bool is_v6 = host.find(':') != std::string::npos;
    return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
  bool operator==(const PeerAddress&) const = default;
};

struct ListenAddress {
  std::optional<IpAddress> address;  // none: every local one
  std::uint16_t port = default_port;
  [[nodiscard]] std::string to_string() const {
    return address ? SocketAddress{*address, port}.to_string() : std::to_string(port);
  }
  bool operator==(const ListenAddress&) const = default;
};

enum class Detection : std::uint8_t { fast, normal, patient };

struct LinkOptions {
  std::string link;  // names the control socket; empty: the name of the interface
  std::string config_file;

  std::vector<PeerAddress> peers;  // tried in turn; empty: the link is the acceptor
  std::optional<ListenAddress> listen;

  std::string ifname = "rv%d";
  std::vector<IpPrefix> addresses;
  std::string netns;            // empty: the one routevpn was started in
  std::string public_netns;     // empty: the one routevpn was started in
  std::optional<unsigned> mtu;  // bytes; none: found by probing
  unsigned lanes = 1;

  std::string certificate = "/etc/routevpn/cert.pem";
  std::string key = "/etc/routevpn/key.pem";
  std::string ca = "/etc/routevpn/ca.pem";
  std::string crl;                  // empty: none
  std::chrono::days crl_grace{30};  // an expired CRL stays in force for this time
  std::vector<std::string> psk;  // files; the first is used to send, all are accepted; empty: none
  std::string peer_name;         // "*": any certificate of the CA
  std::vector<IpPrefix> allow;   // empty: every source
  std::string ciphers;           // OpenSSL names, ':' between; empty: the default ones
  std::optional<record::CryptoBackend> crypto;  // none: the fastest for the cipher suite

  std::optional<Detection> detection;  // of a dead peer; none: normal, or keepalive and dead_after
  static constexpr std::chrono::milliseconds default_keepalive{1000};  // if only the other is given
  static constexpr std::chrono::milliseconds default_dead_after{3500};
  std::optional<std::chrono::milliseconds> keepalive;
  std::optional<std::chrono::milliseconds> dead_after;  // more than keepalive
  std::chrono::milliseconds up_delay{0};                // after the first flap; zero: never
  std::chrono::seconds rekey{3600};
  std::optional<std::uint64_t> rekey_records;  // none: the limit of the cipher suite

  std::vector<IpPrefix> routes;
  // Sources of inner packets. None stands for `routed`, the sources whose route leads through the
  // link. Empty: every source.
  std::vector<std::optional<IpPrefix>> accept;
  std::uint32_t table = 0;               // 0: main
  std::uint32_t fwmark = 0;              // 0: none
  std::optional<std::uint8_t> dscp = 0;  // of outer packets, 0..63; none: copied from the inner
  bool nat = false;

  std::string on_state;  // a shell command; empty: none
  std::string run_dir = "/run/routevpn";
  std::string user;         // of the worker; empty: the default of cage::find_account()
  bool no_sandbox = false;  // the worker is not confined
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;

  bool operator==(const LinkOptions&) const = default;

  [[nodiscard]] bool accepts_routed() const {
    return std::ranges::any_of(accept, [](const auto& source) { return !source; });
  }
  [[nodiscard]] std::vector<IpPrefix> accepted_prefixes() const {
    std::vector<IpPrefix> prefixes;
    for (const auto& source : accept) {
      if (source) prefixes.push_back(*source);
    }
    return prefixes;
  }

  // Whether the interface carries IPv4 (v4) or IPv6: it has an address or a route of that family.
  [[nodiscard]] bool has_family(bool v4) const {
    const auto is = [v4](const IpPrefix& prefix) { return prefix.address.is_v4() == v4; };
    return std::ranges::any_of(addresses, is) || std::ranges::any_of(routes, is);
  }
};

}  // namespace routevpn::options
