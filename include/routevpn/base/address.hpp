// IP addresses, prefixes and socket addresses as values, with their text forms.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace routevpn {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(const std::array<std::uint8_t, 4>& bytes) {
    return {true, {bytes[0], bytes[1], bytes[2], bytes[3]}};
  }
  // An IPv4-mapped address stays IPv6.
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes) { return {false, bytes}; }
  static std::optional<IpAddress> parse(std::string_view text);  // no brackets, no zone

  [[nodiscard]] bool is_v4() const { return is_v4_; }
  [[nodiscard]] int family() const { return is_v4_ ? AF_INET : AF_INET6; }
  [[nodiscard]] unsigned bits() const { return is_v4_ ? 32 : 128; }
  // In network order; an IPv4 address is in the first four bytes.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpAddress(bool is_v4, const std::array<std::uint8_t, 16>& bytes) : is_v4_(is_v4), bytes_(bytes) {}

  bool is_v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};
};

// An address with a prefix length. Host bits are kept, because an interface address has them.
struct IpPrefix {
  IpAddress address;
  unsigned length = 0;  // 0..32 or 0..128

  // ADDRESS/LENGTH, or ADDRESS for a single host.
  static std::optional<IpPrefix> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& other) const;
  [[nodiscard]] IpPrefix network() const;  // host bits cleared
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const IpPrefix&) const = default;
};

// Address and port of UDP. An IPv4-mapped IPv6 address from the kernel becomes plain IPv4.
struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t scope = 0;  // interface index of an IPv6 link-local address, else 0

  static SocketAddress from_kernel(const sockaddr_storage& storage);
  // Fills `storage` for a socket of this family and returns its length. An IPv4 address becomes an
  // IPv4-mapped one for an AF_INET6 socket.
  socklen_t to_kernel(sockaddr_storage& storage, int socket_family) const;
  [[nodiscard]] std::string to_string() const;  // 192.0.2.1:7754, [2001:db8::1]:7754
  auto operator<=>(const SocketAddress&) const = default;
};

}  // namespace routevpn
