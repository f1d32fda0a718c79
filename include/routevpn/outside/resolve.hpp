// Turns HOST into addresses without ever holding up the link: one thread per question (none for
// a numeric address), its answer announced on an eventfd.
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
  std::vector<SocketAddress> addresses;  // in getaddrinfo's order (RFC 6724); empty when it failed
  std::string error;                     // why, when it failed
};

class Resolver {
 public:
  // Questions are asked in the network namespace the calling thread is in at this moment.
  Resolver();
  ~Resolver();  // does not wait for a question under way
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  [[nodiscard]] int fd() const;  // readable when take() has an answer
  // `host` is a name, an IPv4 or an IPv6 address without brackets (fe80::1%eth0 with its zone).
  // There is one question at a time: false, and nothing asked, until the answer was taken.
  // When the calling thread has left the Resolver's namespace, a name needs CAP_SYS_ADMIN.
  bool ask(const std::string& host, std::uint16_t port);
  std::optional<Resolution> take();  // the answer, once

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace routevpn::outside
