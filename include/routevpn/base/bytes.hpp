// Big-endian coding on plain bytes: no casts, no alignment, no host order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace routevpn {

using Bytes = std::span<std::uint8_t>;
using ConstBytes = std::span<const std::uint8_t>;

constexpr std::uint16_t load_be16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

constexpr std::uint32_t load_be32(const std::uint8_t* at) {
  return std::uint32_t{load_be16(at)} << 16 | load_be16(at + 2);
}

constexpr std::uint64_t load_be48(const std::uint8_t* at) {
  return std::uint64_t{load_be16(at)} << 32 | load_be32(at + 2);
}

constexpr std::uint64_t load_be64(const std::uint8_t* at) {
  return std::uint64_t{load_be32(at)} << 32 | load_be32(at + 4);
}

constexpr void store_be16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

constexpr void store_be32(std::uint8_t* at, std::uint32_t value) {
  store_be16(at, static_cast<std::uint16_t>(value >> 16));
  store_be16(at + 2, static_cast<std::uint16_t>(value));
}

constexpr void store_be48(std::uint8_t* at, std::uint64_t value) {
  store_be16(at, static_cast<std::uint16_t>(value >> 32));
  store_be32(at + 2, static_cast<std::uint32_t>(value));
}

constexpr void store_be64(std::uint8_t* at, std::uint64_t value) {
  store_be32(at, static_cast<std::uint32_t>(value >> 32));
  store_be32(at + 4, static_cast<std::uint32_t>(value));
}

}  // namespace routevpn
