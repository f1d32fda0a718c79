// What one link is to do, after the command line and the configuration file have been read and
// found to agree.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::options {

inline constexpr std::uint16_t default_port = 7754;
inline constexpr unsigned highest_port = 65535;

struct PeerAddress {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = default_port;
  [[nodiscard]] std::string to_string() const;  // HOST:PORT, IPv6 in brackets
  bool operator==(const PeerAddress&) const = default;
};

struct ListenAddress {
  std::optional<IpAddress> address;  // none: every local one
  std::uint16_t port = default_port;
  [[nodiscard]] std::string to_string() const;  // [ADDR:]PORT, IPv6 in brackets
  bool operator==(const ListenAddress&) const = default;
};

enum class Crypto : std::uint8_t { automatic, openssl, ipsec_mb };

struct LinkOptions {
  std::string link;  // names the control socket; empty: as the interface is called
  std::string config_file;

  std::vector<PeerAddress> peers;  // in the order they are tried; empty: wait for the peer
  std::optional<ListenAddress> listen;

  std::string ifname = "rv%d";
  std::vector<IpPrefix> addresses;
  std::string netns;            // empty: where routevpn was started
  std::string public_netns;     // empty: where routevpn was started
  std::optional<unsigned> mtu;  // bytes; none: found by probing
  unsigned lanes = 1;

  std::string certificate = "/etc/routevpn/cert.pem";
  std::string key = "/etc/routevpn/key.pem";
  std::string ca = "/etc/routevpn/ca.pem";
  std::string crl;              // empty: none
  std::string peer_name;        // "*": any certificate of the CA
  std::vector<IpPrefix> allow;  // empty: every source
  std::string ciphers;          // OpenSSL names, ':' between; empty: the default ones
  Crypto crypto = Crypto::automatic;

  std::chrono::milliseconds keepalive{1000};
  std::chrono::milliseconds dead_after{3500};
  std::chrono::milliseconds up_delay{0};  // after the first flap; zero: none after any
  std::chrono::seconds rekey{3600};
  std::optional<std::uint64_t> rekey_records;  // none: as the cipher suite wants it

  std::vector<IpPrefix> routes;
  std::uint32_t table = 0;               // 0: main
  std::uint32_t fwmark = 0;              // 0: none
  std::optional<std::uint8_t> dscp = 0;  // of outer packets, 0..63; none: copied from the inner
  bool nat = false;

  std::string on_state;  // a shell command; empty: none
  std::string run_dir = "/run/routevpn";
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;

  bool operator==(const LinkOptions&) const = default;
};

// As a configuration file that says the same, every option that has a value in it.
std::string to_config(const LinkOptions& options);

}  // namespace routevpn::options
