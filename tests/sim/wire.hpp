// A wire between two simulated ends, on the virtual clock. It applies the schedules that
// tests/impair applies to real processes. The initiator's NAT may change the port.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/datapath/lane.hpp"

#include "impair/schedule.hpp"

namespace routevpn::test {

// A datagram at its arrival.
struct Delivery {
  int to = 0;
  int from_rebinds = 0;  // World::rebinds() when the datagram was sent
  datapath::UdpFlow flow = datapath::UdpFlow::bulk;
  std::vector<std::uint8_t> data;
};

class Wire {
 public:
  static constexpr Duration delay = std::chrono::milliseconds(5);  // in each direction
  // The most that a reordered datagram is delayed besides.
  static constexpr Duration late = std::chrono::milliseconds(60);

  explicit Wire(std::uint64_t seed)
      : random_(seed), directions_{Schedule(2 * seed), Schedule(2 * seed + 1)} {
    impair({});
  }

  // Impairs both directions, or the one to the end `to`. The wire adds its own delay.
  void impair(Impairments impairments) {
    impair(0, impairments);
    impair(1, impairments);
  }
  void impair(int to, Impairments impairments) {
    impairments.delay += delay;
    impairments.late = late;
    direction(to).impairments = impairments;
  }
  // Largest IPv4 packet that the wire carries, in bytes with IP header. Larger ones are lost.
  unsigned mtu = 1500;
  [[nodiscard]] bool carries(std::size_t datagram_bytes) const {
    return ipv4_header_bytes + udp_header_bytes + datagram_bytes <= mtu;
  }

  void send(int to, int from_rebinds, datapath::UdpFlow flow, std::vector<std::uint8_t> datagram,
            Time now) {
    if (!carries(datagram.size())) return;
    const auto fate = direction(to).decide(datagram.size(), now);
    for (std::size_t i = 0; i < fate.count; ++i) {
      const auto& copy = fate.copies[i];  // the schedule lists intact copies before damaged ones
      if (copy.flip != 0) datagram[copy.flip_at] ^= copy.flip;
      const auto end = datagram.begin() + static_cast<std::ptrdiff_t>(copy.bytes);
      in_flight_.add(copy.due, {to, from_rebinds, flow, {datagram.begin(), end}});
    }
  }

  [[nodiscard]] Time next() const { return in_flight_.next(); }
  Delivery take() { return in_flight_.take(); }
  std::size_t pick(std::size_t below) { return below == 0 ? 0 : random_() % below; }

 private:
  Schedule& direction(int to) { return directions_[static_cast<std::size_t>(to)]; }

  std::mt19937_64 random_;
  std::array<Schedule, 2> directions_;
  UnderWay<Delivery> in_flight_;
};

}  // namespace routevpn::test
