// Strangers with addresses of their own: they return the acceptor's cookies and never complete a
// handshake.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "routevpn/dtls/handshake.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::test {

class Strangers {
 public:
  using Datagram = std::vector<std::uint8_t>;
  // Gives the acceptor a datagram and returns the first reply to its source.
  using Ask = std::function<Datagram(const Datagram& datagram, const outside::Endpoint& from)>;

  // Gets a cookie for each address and each of `ports` ports.
  Strangers(const std::shared_ptr<const dtls::Identity>& identity,
            const std::vector<IpAddress>& addresses, std::uint16_t ports, const Ask& ask,
            Time now) {
    for (std::uint16_t port = 1; port <= ports; ++port) {
      for (const IpAddress& address : addresses) {
        const outside::Endpoint from{{address, port}, std::nullopt};
        const auto handshake = dtls::Handshake::initiate(identity, now);
        handshake->receive(ask(handshake->take_output().front(), from), now);
        hellos_.push_back({handshake->take_output().front(), from});
      }
    }
  }

  // The next `count` ClientHellos. Each has a valid cookie.
  template <typename Send>
  void send(int count, Send send) {
    for (int i = 0; i < count; ++i) {
      const Hello& hello = hellos_[next_++ % hellos_.size()];
      send(hello.datagram, hello.from);
    }
  }

 private:
  struct Hello {
    Datagram datagram;
    outside::Endpoint from;
  };
  std::vector<Hello> hellos_;
  std::size_t next_ = 0;
};

// `count` /64 of one /48.
inline std::vector<IpAddress> addresses_of_one_48(int count) {
  std::vector<IpAddress> addresses;
  for (int i = 0; i < count; ++i) {
    addresses.push_back(IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 7, static_cast<std::uint8_t>(i >> 8),
                                       static_cast<std::uint8_t>(i), 0, 0, 0, 0, 0, 0, 0, 1}));
  }
  return addresses;
}

// Each of another /16.
inline std::vector<IpAddress> addresses_of_different_16(int count) {
  std::vector<IpAddress> addresses;
  for (int i = 0; i < count; ++i) {
    addresses.push_back(IpAddress::v4(
        {static_cast<std::uint8_t>(10 + (i >> 8)), static_cast<std::uint8_t>(i), 0, 1}));
  }
  return addresses;
}

}  // namespace routevpn::test
