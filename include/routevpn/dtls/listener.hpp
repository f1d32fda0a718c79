// The acceptor's door: answers a first ClientHello with a HelloVerifyRequest and keeps nothing of
// it, RFC 6347 section 4.2.1. Only a ClientHello that brings the cookie back makes a handshake.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// The random of a datagram that starts with a whole or first fragment of a ClientHello in epoch 0.
std::optional<ConstBytes> client_hello_random(ConstBytes datagram);

class Listener {
 public:
  explicit Listener(std::shared_ptr<const Identity> identity);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  struct Answer {
    std::unique_ptr<Handshake> handshake;  // set when the cookie was right and nothing refused it
    Datagrams output;                      // the HelloVerifyRequest otherwise
    bool malformed = false;
    std::optional<Drop> refused;  // by `admit`
  };
  // Asked when the cookie is right, before any public-key work is done.
  using Admit = std::function<std::optional<Drop>()>;
  // One datagram that holds a ClientHello, from this address.
  Answer receive(
      ConstBytes datagram, const SocketAddress& from, Time now,
      const Admit& admit = [] { return std::optional<Drop>(); });
  void replace_identity(std::shared_ptr<const Identity> identity);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::dtls
