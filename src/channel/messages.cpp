#include "routevpn/channel/messages.hpp"

namespace routevpn::channel {

Address Address::of(const SocketAddress& address) {
  const bool v4 = address.address.is_v4();
  return {static_cast<std::uint8_t>(v4 ? 4 : 6), address.address.bytes(), address.port,
          address.scope};
}

std::optional<SocketAddress> Address::get() const {
  if (version == 6) return SocketAddress{IpAddress::v6(bytes), port, scope};
  if (version != 4) return std::nullopt;
  return SocketAddress{IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]}), port, 0};
}

}  // namespace routevpn::channel
