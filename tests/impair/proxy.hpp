// The proxy between a client and a target, like a NAT: datagrams to the listening address are sent
// on from a port of the proxy, and datagrams to that port go to the client.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "impair/control.hpp"
#include "impair/options.hpp"
#include "impair/relay.hpp"

namespace routevpn::test {

class Proxy {
 public:
  explicit Proxy(const ImpairOptions& options);  // throws UsageError, SystemError
  [[noreturn]] void run();
  // Commands as in impair_help(). Throws UsageError.
  std::string execute(const std::vector<std::string>& command);

 private:
  void rebind();
  struct Ready {
    bool listener = false, source = false, control = false;
  };
  Ready wait();  // until a socket is readable or a datagram is due
  void pass_up(Time now);
  void pass_down(Time now);
  [[nodiscard]] std::string stats() const;

  ImpairOptions options_;
  std::shared_ptr<outside::UdpSocket> listener_;
  std::shared_ptr<outside::UdpSocket> source_;
  std::vector<std::shared_ptr<outside::UdpSocket>> former_;
  std::optional<outside::Endpoint> client_;
  std::optional<ControlSocket> control_;
  Relay up_, down_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace routevpn::test
