// Datagrams that a stranger can send without any key.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::test {

using Datagram = std::vector<std::uint8_t>;
using Chance = std::mt19937_64;

// The kinds that make_attack() knows.
extern const std::vector<std::string> attack_kinds;

// One datagram of this kind. Record numbers of epoch 0 are those that an off-path attacker would
// choose: from 0 on, the largest, or random. Throws UsageError.
Datagram make_attack(const std::string& kind, Chance& chance);

// A ClientHello. `cookie`: of a HelloVerifyRequest, empty in the first hello.
Datagram make_client_hello(ConstBytes random, ConstBytes cookie);
// The cookie in a HelloVerifyRequest; empty: the datagram is another.
ConstBytes cookie_in(ConstBytes datagram);

// An IPv4 packet with this datagram, without UDP checksum.
Datagram in_ipv4(const SocketAddress& from, const SocketAddress& to, const Datagram& datagram);

}  // namespace routevpn::test
