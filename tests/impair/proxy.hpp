// The proxy between a client and a target, like a NAT: datagrams to the listening address are sent
// on from a port of the proxy, and datagrams to that port go to the client. Each of two ports of
// the client has one of the proxy.
#pragma once

#include <array>
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
  static constexpr std::size_t most_mappings = 2;
  void rebind();
  struct Ready {
    bool listener = false, control = false;
    std::array<bool, most_mappings> sources{};
  };
  Ready wait();  // until a socket is readable or a datagram is due
  void pass_up(Time now);
  struct Mapping {
    outside::Endpoint client;
    std::shared_ptr<outside::UdpSocket> source;
    Time used{};
  };
  Mapping& mapping_of(const outside::Endpoint& client);
  [[nodiscard]] std::shared_ptr<outside::UdpSocket> open_source() const;
  void pass_down(const Mapping& mapping, Time now);
  [[nodiscard]] std::string stats() const;

  ImpairOptions options_;
  std::shared_ptr<outside::UdpSocket> listener_;
  std::vector<Mapping> mappings_;                    // in the order in which they were made
  std::shared_ptr<outside::UdpSocket> next_source_;  // of the next mapping
  std::vector<std::shared_ptr<outside::UdpSocket>> former_;
  std::size_t rebinds_ = 0;
  std::optional<ControlSocket> control_;
  Relay up_, down_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace routevpn::test
