#include "routevpn/base/address.hpp"

#include <bit>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "routevpn/base/text.hpp"

namespace routevpn {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, terminated.c_str(), four.data()) == 1) return v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, terminated.c_str(), sixteen.data()) == 1) return v6(sixteen);
  return std::nullopt;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family(), bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return IpPrefix{*address, address->bits()};
  const auto length = to_number(text.substr(slash + 1));
  if (!length || *length > address->bits()) return std::nullopt;
  return IpPrefix{*address, *length};
}

IpPrefix IpPrefix::network() const {
  auto bytes = address.bytes();
  for (unsigned bit = length; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  }
  if (!address.is_v4()) return {IpAddress::v6(bytes), length};
  return {IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}), length};
}

bool IpPrefix::contains(const IpAddress& other) const {
  return other.is_v4() == address.is_v4() && IpPrefix{other, length}.network() == network();
}

std::string IpPrefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

SocketAddress SocketAddress::from_kernel(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    const auto bytes = std::bit_cast<std::array<std::uint8_t, 4>>(in.sin_addr);
    return {IpAddress::v4(bytes), ntohs(in.sin_port)};
  }
  sockaddr_in6 in6{};
  std::memcpy(&in6, &storage, sizeof in6);
  const std::uint16_t port = ntohs(in6.sin6_port);
  const auto bytes = std::bit_cast<std::array<std::uint8_t, 16>>(in6.sin6_addr);
  if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
    return {IpAddress::v6(bytes), port, in6.sin6_scope_id};
  }
  return {IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]}), port};
}

socklen_t SocketAddress::to_kernel(sockaddr_storage& storage, int socket_family) const {
  storage = {};
  if (socket_family == AF_INET) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes().data(), sizeof in.sin_addr);
    std::memcpy(&storage, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_scope_id = scope;
  if (address.is_v4()) {
    in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(in6.sin6_addr.s6_addr + 12, address.bytes().data(), 4);
  } else {
    std::memcpy(in6.sin6_addr.s6_addr, address.bytes().data(), 16);
  }
  std::memcpy(&storage, &in6, sizeof in6);
  return sizeof in6;
}

std::string SocketAddress::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

}  // namespace routevpn
