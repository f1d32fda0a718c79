// One direction of the proxy: the schedule decides about each datagram, which waits until it is due
// and leaves in a run of datagrams of equal size.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "routevpn/outside/udp.hpp"

#include "impair/schedule.hpp"

namespace routevpn::test {

// Socket and destination of a datagram. A datagram that was received before a rebind leaves by the
// old port.
struct Egress {
  std::shared_ptr<outside::UdpSocket> socket;
  outside::Endpoint to;
  bool operator==(const Egress&) const = default;
};

class Relay {
 public:
  explicit Relay(std::uint64_t seed) : schedule_(seed) {
    run_.reserve(outside::max_datagram_bytes);
  }

  Impairments& impairments() { return schedule_.impairments; }
  void take(const outside::Received& received, const Egress& egress, Time now);
  void release(Time now);  // sends what is due
  [[nodiscard]] Time next() const { return under_way_.next(); }
  [[nodiscard]] const ScheduleCounters& counters() const { return schedule_.counters(); }
  // Datagrams that the kernel refused: too large for the interface, no route.
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  struct Parcel {
    std::vector<std::uint8_t> data;
    std::uint8_t ecn = 0;
    Egress egress;
  };
  void put(ConstBytes datagram, std::uint8_t ecn, const Egress& egress);
  void flush();

  Schedule schedule_;
  UnderWay<Parcel> under_way_;
  // Datagrams of one size that leave together. The last one can be shorter.
  std::vector<std::uint8_t> run_;
  std::size_t segment_bytes_ = 0;
  std::uint8_t run_ecn_ = 0;
  Egress run_egress_;
  std::uint64_t refused_ = 0;
};

}  // namespace routevpn::test
