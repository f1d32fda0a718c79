// Limits the handshakes that an acceptor begins: by network, in total, and with shares that
// strangers cannot use up. Pure.
#pragma once

#include <array>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"

namespace routevpn::dtls {

class Admission {
 public:
  struct Rate {
    double per_second;
    double burst;
  };
  // A source needs a token of each network that contains it. A stranger has a whole IPv6 /48 for
  // the asking (RFC 6177), and several IPv4 /24 of one hoster are often of one /16.
  struct Level {
    unsigned length;  // of the prefix
    Rate rate;
  };
  static constexpr std::array<Level, 2> v4_levels = {{{24, {20, 5}}, {16, {60, 20}}}};
  static constexpr std::array<Level, 3> v6_levels = {
      {{64, {20, 5}}, {56, {40, 10}}, {48, {60, 20}}}};
  static std::span<const Level> levels_of(const IpAddress& source) {
    return source.is_v4() ? std::span<const Level>(v4_levels) : std::span<const Level>(v6_levels);
  }
  // 100 per second in total: low enough against a flood, high enough for a site whose links all
  // restart at once. A fifth is for first contacts: sources of a /16 or /48 from which no handshake
  // was begun within first_contact_after. Strangers in N such networks cannot keep out a peer that
  // has a new address as long as N < 500: the burst is larger than what all of them have at once,
  // and N / 60 s is less than the rate. Of IPv6 networks max_networks / 3 = 682 are remembered.
  static constexpr Rate total_rate{80, 80};
  static constexpr Rate first_contact_rate{20, 500};
  static constexpr Duration first_contact_after = std::chrono::seconds(60);
  static constexpr Rate peer_rate{20, 5};
  static constexpr std::size_t max_networks = 2048;  // buckets kept at a time

  explicit Admission(std::vector<IpPrefix> allowed);  // empty: every source

  // Whether --allow covers this source.
  [[nodiscard]] bool allows(const IpAddress& source) const;

  // Whether an --allow covers this source and no other address.
  [[nodiscard]] bool names(const IpAddress& source) const;

  struct Decision {
    // handshake_not_allowed or handshake_rate_limited; none: the ClientHello is answered
    std::optional<Drop> refused;
    bool first_contact = false;
  };
  // Decides about a ClientHello with a valid cookie. `peer`: the source is the peer's last address,
  // which has a bucket of its own.
  Decision admit(const IpAddress& source, Time now, bool peer = false);

 private:
  struct Bucket {
    double tokens;
    Time filled;  // when a token was last taken
    [[nodiscard]] double level(const Rate& rate, Time now) const;
    void take(const Rate& rate, Time now);
  };
  struct Network {
    IpPrefix prefix;
    Bucket bucket;
  };

  const Bucket* find(const IpAddress& source, unsigned length) const;
  void take(const IpAddress& source, const Level& level, Time now);
  [[nodiscard]] bool is_first_contact(const IpAddress& source, Time now) const;

  std::vector<IpPrefix> allowed_;
  Bucket total_{total_rate.burst, {}};
  Bucket first_contacts_{first_contact_rate.burst, {}};
  Bucket peer_{peer_rate.burst, {}};
  std::list<Network> networks_;  // the one that was admitted last is the first
  std::map<IpPrefix, std::list<Network>::iterator> by_prefix_;
};

}  // namespace routevpn::dtls
