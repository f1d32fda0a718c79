#include "routevpn/options/link_options.hpp"

namespace routevpn::options {

std::string PeerAddress::to_string() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string ListenAddress::to_string() const {
  if (!address) return std::to_string(port);
  return SocketAddress{*address, port}.to_string();
}

}  // namespace routevpn::options
