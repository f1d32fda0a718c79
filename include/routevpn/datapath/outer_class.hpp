// The traffic class of outer headers: --dscp, and ECN as the ingress of RFC 6040 sets it.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/inside/traffic_class.hpp"

namespace routevpn::datapath {

class OuterClass {
 public:
  // `dscp`: of all outer packets, 0..63; none: that of the packet inside.
  explicit OuterClass(std::optional<std::uint8_t> dscp = 0)
      : copied_(dscp ? inside::ecn_bits : 0xff),
        fixed_(static_cast<std::uint8_t>(dscp.value_or(0) << 2)) {}

  // For a packet of this class. `marks_return`: the peer carries congestion marks back into the
  // packets, so their ECN is copied (normal mode); otherwise marks would be lost with the outer
  // header, and routers must drop instead (compatibility mode, RFC 6040 section 4.3).
  [[nodiscard]] std::uint8_t of(std::uint8_t inner, bool marks_return) const {
    const unsigned copied = marks_return ? copied_ : copied_ & ~inside::ecn_bits;
    return static_cast<std::uint8_t>((inner & copied) | fixed_);
  }

  // For handshakes and control messages, which belong to no inside packet: as other packets go, so
  // that probes measure what those meet; where the packets' own DSCP is copied, best effort, which
  // no network remarks or refuses. Not-ECT, for nothing slows down at a mark on them.
  [[nodiscard]] std::uint8_t of_control() const { return fixed_; }

 private:
  std::uint8_t copied_;  // the bits taken from the packet inside
  std::uint8_t fixed_;
};

}  // namespace routevpn::datapath
