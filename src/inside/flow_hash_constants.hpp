// What flow_hash() and the kernel's copy of it (steering_program.cpp) have in common.
#pragma once

#include <cstddef>
#include <cstdint>

namespace routevpn::inside {

inline constexpr std::uint64_t flow_hash_seed = 0x2545f4914f6cdd1d;
inline constexpr std::uint64_t flow_hash_multiplier = 0x9e3779b97f4a7c15;  // 2^64 / phi

inline constexpr std::uint16_t fragment_bits = 0x3fff;  // more fragments, and the offset: RFC 791
inline constexpr std::uint8_t fragment_header = 44;     // RFC 8200 section 4.5
inline constexpr std::size_t port_bytes = 4;            // source and destination

}  // namespace routevpn::inside
