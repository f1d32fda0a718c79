// Limits the handshakes that an acceptor works on, by source and in total. Pure.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"

namespace routevpn::dtls {

class Admission {
 public:
  // Low enough against a flood, high enough for a site whose links all restart at once.
  static constexpr double per_source_rate = 20;  // per second, for each IPv4 /24 or IPv6 /64
  static constexpr double per_source_burst = 5;
  static constexpr double total_rate = 100;  // per second
  static constexpr double total_burst = 100;
  static constexpr std::size_t max_half_open = 16;
  static constexpr std::size_t max_half_open_per_source = 4;  // a quarter of the places
  static constexpr std::size_t max_sources = 1024;            // buckets kept at a time

  explicit Admission(std::vector<IpPrefix> allowed);  // empty: every source

  // Whether --allow covers this source.
  [[nodiscard]] bool allows(const IpAddress& source) const;

  // Whether an --allow covers this source and no other address.
  [[nodiscard]] bool names(const IpAddress& source) const;

  // Why a ClientHello from this source is dropped: handshake_not_allowed or handshake_rate_limited;
  // none: it is answered. `known`: the total rate does not apply, so that strangers who use it up
  // cannot lock out the peer.
  std::optional<Drop> admit(const IpAddress& source, Time now, bool known = false);

 private:
  struct Bucket {
    double rate;  // tokens per second
    double burst;
    double tokens = burst;
    Time filled{};
    [[nodiscard]] double level(Time now) const;
    bool take(Time now);
  };
  void evict(Time now);

  std::vector<IpPrefix> allowed_;
  Bucket total_{total_rate, total_burst};
  std::map<IpPrefix, Bucket> sources_;
};

}  // namespace routevpn::dtls
