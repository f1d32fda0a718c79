// One packet of a batch on its way outside.
#pragma once

#include <cstdint>

namespace routevpn {

// `data` and `length` exclude the headroom and tailroom around the packet. `outer_class` is the
// traffic class for the outer IP header, kept here because sealing encrypts the inner header.
struct OutboundPacket {
  std::uint8_t* data = nullptr;
  std::uint32_t length = 0;
  std::uint8_t outer_class = 0;
};

}  // namespace routevpn
