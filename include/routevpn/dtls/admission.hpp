// Who may make us do handshake work, and how often. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"

namespace routevpn::dtls {

class Admission {
 public:
  // Cheap against flooding, generous against a site whose links all restart at once.
  static constexpr double per_source_rate = 20;  // per second, for each IPv4 /24 or IPv6 /64
  static constexpr double per_source_burst = 5;
  static constexpr double total_rate = 100;  // per second
  static constexpr double total_burst = 100;
  static constexpr std::size_t max_half_open = 16;
  static constexpr std::size_t max_half_open_per_source = 4;  // a quarter
  static constexpr std::size_t max_sources = 1024;            // remembered at a time

  explicit Admission(std::vector<IpPrefix> allowed);  // empty: everyone

  // Whether this source gets any answer at all (--allow).
  [[nodiscard]] bool allows(const IpAddress& source) const;

  // Whether a ClientHello from this source is answered at all: handshake_not_allowed,
  // handshake_rate_limited, or nothing when it is. What strangers use up of the total is no matter
  // to a `known` source.
  std::optional<Drop> admit(const IpAddress& source, Time now, bool known = false);

 private:
  struct Bucket {
    double tokens;
    Time filled;
  };
  static double level(const Bucket& bucket, double rate, double burst, Time now);
  static bool take(Bucket& bucket, double rate, double burst, Time now);
  void make_room(Time now);

  std::vector<IpPrefix> allowed_;
  std::optional<Bucket> total_;
  struct PrefixHash {
    std::size_t operator()(const IpPrefix& prefix) const;
  };
  std::unordered_map<IpPrefix, Bucket, PrefixHash> sources_;
};

}  // namespace routevpn::dtls
