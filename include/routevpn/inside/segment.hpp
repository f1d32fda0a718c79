// Splits a super-packet of up to 64 KiB, as read from the TUN device, into IP packets of at most
// the interface's MTU with complete headers and checksums.
#pragma once

#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::inside {

// The free room that a batch needs before a read, so that every super-packet of the kernel fits: 64
// KiB in segments of 48 bytes (the kernel's tcp_min_snd_mss). Each segment adds headers, at most
// 120 bytes, and the record's overhead, at most 37 bytes.
inline constexpr std::size_t worst_case_segments = 65535 / 48 + 1;
inline constexpr std::size_t worst_case_bytes = 65535 + worst_case_segments * (120 + 37);

// Appends the packets to the batch. `packet` follows the header in what was read; its bytes are
// overwritten. `mtu`: ipv4_minimum_mtu..65535. On a fault the batch is unchanged, and the result is
// inside_not_ip, inside_malformed or inside_too_big (also when the batch has not enough room).
std::optional<Drop> segment(const VirtioNetHeader& header, Bytes packet, std::size_t mtu,
                            OutboundBatch& batch);

}  // namespace routevpn::inside
