// Which packets belong to one inner flow.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

// A hash of addresses, protocol and, for TCP and UDP, ports. It is the same for every packet of a
// flow. Also of a super-packet. None: a fragment, which need not have ports, or not an IP packet.
std::optional<std::uint32_t> flow_hash(ConstBytes packet);

}  // namespace routevpn::inside
