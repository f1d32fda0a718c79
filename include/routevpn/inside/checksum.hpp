// The Internet checksum, RFC 1071, in the widest vectors the processor has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

// The one's complement sum of the bytes as 16-bit words in network order, a last odd byte padded
// with zero, added to `initial`; folded to 16 bits, not complemented. It is 0 only when all that
// was added is 0. At most 1 MiB.
std::uint16_t checksum_add(ConstBytes bytes, std::uint32_t initial = 0);

// The same while the bytes are copied to `to`, which must not overlap them.
std::uint16_t checksum_copy(std::uint8_t* to, ConstBytes from, std::uint32_t initial = 0);

// The sum over the pseudo-header of RFC 9293 section 3.1 / RFC 8200 section 8.1, folded, not
// complemented. `addresses` are source and destination as they stand in the IP header (8 or 32
// bytes).
std::uint16_t pseudo_header_sum(ConstBytes addresses, std::uint8_t protocol, std::uint32_t length);

// One implementation of the sum. All give the same result: in host byte order, unfolded.
struct ChecksumKernel {
  const char* name;
  std::uint64_t (*add)(const std::uint8_t* from, std::size_t size);
  std::uint64_t (*copy)(std::uint8_t* to, const std::uint8_t* from, std::size_t size);
};

// Those this processor can run, the one in use first.
std::span<const ChecksumKernel> checksum_kernels();

// An unfolded sum of a kernel, plus `initial`, as checksum_add gives it.
std::uint16_t checksum_fold(std::uint64_t kernel_sum, std::uint32_t initial = 0);

}  // namespace routevpn::inside
