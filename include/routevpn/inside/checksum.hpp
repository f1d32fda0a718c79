// The Internet checksum (RFC 1071), with the widest vectors of the processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

// `initial` plus the one's complement sum of the bytes as 16-bit words in network order, an odd
// last byte padded with zero. Folded to 16 bits, not complemented; 0 only if every summand is 0. At
// most 1 MiB.
std::uint16_t checksum_add(ConstBytes bytes, std::uint32_t initial = 0);

// The same, and copies the bytes to `to`, which must not overlap them.
std::uint16_t checksum_copy(std::uint8_t* to, ConstBytes from, std::uint32_t initial = 0);

// The sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1), folded, not
// complemented. `addresses`: source and destination as in the IP header, 8 or 32 bytes.
std::uint16_t pseudo_header_sum(ConstBytes addresses, std::uint8_t protocol, std::uint32_t length);

// One implementation of the sum. All return the same value, in host byte order, not folded.
struct ChecksumKernel {
  const char* name;
  std::uint64_t (*add)(const std::uint8_t* from, std::size_t size);
  std::uint64_t (*copy)(std::uint8_t* to, const std::uint8_t* from, std::size_t size);
};

// The kernels that this processor can run; the first is in use.
std::span<const ChecksumKernel> checksum_kernels();

// Folds a kernel's sum and adds `initial`, as checksum_add() does.
std::uint16_t checksum_fold(std::uint64_t kernel_sum, std::uint32_t initial = 0);

}  // namespace routevpn::inside
