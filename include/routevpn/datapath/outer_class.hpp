// The traffic class of outer headers: DSCP by --dscp, ECN as at the ingress of RFC 6040.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/inside/traffic_class.hpp"

namespace routevpn::datapath {

class OuterClass {
 public:
  // `dscp`: 0..63 for all outer packets; none: each copies the DSCP of its inside packet.
  explicit OuterClass(std::optional<std::uint8_t> dscp = 0)
      : copied_(dscp ? inside::ecn_bits : 0xff),
        fixed_(static_cast<std::uint8_t>(dscp.value_or(0) << 2)) {}

  // For an inside packet of class `inner`. `marks_return`: the peer copies congestion marks into
  // the inside packets, so ECN is copied (normal mode). Other peers lose the marks with the outer
  // header, so it is not-ECT and routers drop instead (compatibility mode, RFC 6040 section 4.3).
  [[nodiscard]] std::uint8_t of(std::uint8_t inner, bool marks_return) const {
    const unsigned copied = marks_return ? copied_ : copied_ & ~inside::ecn_bits;
    return static_cast<std::uint8_t>((inner & copied) | fixed_);
  }

  // For handshakes and control messages: the fixed DSCP, so that probes measure the path of the
  // packets. If the packets' DSCP is copied, best effort, which no network remarks or refuses.
  // Not-ECT, because no sender reacts to a mark on them.
  [[nodiscard]] std::uint8_t of_control() const { return fixed_; }

 private:
  std::uint8_t copied_;  // mask of the bits copied from the inside packet
  std::uint8_t fixed_;
};

}  // namespace routevpn::datapath
