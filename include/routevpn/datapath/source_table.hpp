// One value for each source network, or for several that share a slot. The slot is a keyed hash of
// the IPv4 address or the IPv6 /56, so a stranger cannot choose an address that shares the slot of
// another source.
#pragma once

#include <array>
#include <cstdint>
#include <random>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::datapath {

class SourceHash {
 public:
  SourceHash() {
    std::random_device random;
    key_ = std::uint64_t{random()} << 32 | random();
  }
  // The upper bits are the best.
  [[nodiscard]] std::uint64_t operator()(const IpAddress& source) const {
    const std::uint8_t* const bytes = source.bytes().data();
    std::uint64_t hash = key_ ^ (source.is_v4() ? load_be32(bytes) : load_be64(bytes) >> 8);
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;  // the finalizer of SplitMix64
    hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    return hash ^ hash >> 31;
  }

 private:
  std::uint64_t key_;
};

template <typename Value, unsigned slot_bits>
class SourceTable {
 public:
  [[nodiscard]] Value& of(const IpAddress& source) {
    return values_[hash_(source) >> (64 - slot_bits)];
  }

 private:
  SourceHash hash_;
  std::array<Value, std::size_t{1} << slot_bits> values_{};
};

}  // namespace routevpn::datapath
