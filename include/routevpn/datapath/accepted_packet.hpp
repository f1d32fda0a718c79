// Which packets of the peer may go inside.
#pragma once

#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/datapath/prefix_set.hpp"
#include "routevpn/inside/traffic_class.hpp"

namespace routevpn::datapath {

// The reason to drop a packet from an authentic record. Without one the packet has the outer
// header's congestion mark (RFC 6040). `sources`: LanePolicy::sources.
std::optional<Drop> accept_packet(Bytes packet, inside::Ecn outer_ecn, const PrefixSet& sources);

}  // namespace routevpn::datapath
