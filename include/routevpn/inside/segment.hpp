// Splits what one read of the TUN device gave, a super-packet of up to 64 KiB, into IP packets of
// at most the interface's MTU, with headers and checksums complete.
#pragma once

#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::inside {

// What a batch must have free before a read, so that any super-packet the kernel makes fits: 64 KiB
// at the smallest segment it allows (tcp_min_snd_mss, 48 bytes), each with headers and record.
inline constexpr std::size_t worst_case_segments = 65535 / 48 + 1;
inline constexpr std::size_t worst_case_bytes = 65535 + worst_case_segments * (120 + 37);

// Appends the packets to the batch. `packet` is what followed the header; it is used as scratch.
// On a fault the batch is as it was, and the reason is given:
// inside_not_ip, inside_malformed or inside_too_big. `mtu` is in bytes, 576..65535.
std::optional<Drop> segment(const VirtioNetHeader& header, Bytes packet, std::size_t mtu,
                            OutboundBatch& batch);

}  // namespace routevpn::inside
