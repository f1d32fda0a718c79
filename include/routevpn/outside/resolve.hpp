// Resolves host names without blocking the link: one thread per query (none for a numeric address),
// which signals its result on an eventfd.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::outside {

struct Resolution {
  std::string host;
  std::vector<SocketAddress> addresses;  // in getaddrinfo's order (RFC 6724); empty on failure
  std::string error;                     // the reason of a failure
};

class Resolver {
 public:
  // Queries run in the network namespace that the calling thread is in now. The destructor does not
  // wait for a query in progress.
  Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  [[nodiscard]] int fd() const;  // readable when take() has a result
  // Starts a query. `host` is a name, an IPv4 address or an IPv6 address without brackets, with its
  // zone (fe80::1%eth0). False, without a query, while the result of the last one was not taken. A
  // name needs CAP_SYS_ADMIN when the calling thread has left the Resolver's namespace.
  bool ask(const std::string& host, std::uint16_t port);
  std::optional<Resolution> take();  // the result, once

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace routevpn::outside
