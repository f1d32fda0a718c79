// The acceptor's stateless cookie exchange (RFC 6347 section 4.2.1): a first ClientHello is
// answered with a HelloVerifyRequest and leaves no state. Only a ClientHello with a valid cookie
// starts a handshake.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// The random of a ClientHello, if the datagram starts with one, or its first fragment, in epoch 0.
std::optional<ConstBytes> client_hello_random(ConstBytes datagram);

class Listener {
 public:
  explicit Listener(std::shared_ptr<const Identity> identity);
  ~Listener();

  struct Answer {
    std::unique_ptr<Handshake> handshake;  // set if the cookie was valid and `admit` allowed it
    Datagrams output;                      // the HelloVerifyRequest otherwise
    bool malformed = false;
    std::optional<Drop> refused;  // by `admit`
  };
  // Called after the cookie has been verified and before any public-key operation.
  using Admit = std::function<std::optional<Drop>()>;
  // Takes one datagram with a ClientHello from this address.
  Answer receive(
      ConstBytes datagram, const SocketAddress& from, Time now,
      const Admit& admit = [] { return std::optional<Drop>(); });
  void replace_identity(std::shared_ptr<const Identity> identity);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::dtls
