// Pre-shared keys for tests.
#pragma once

#include <numeric>

#include "routevpn/dtls/psk.hpp"

namespace routevpn::test {

// The key 0, 1, ... 31 of the known answers.
inline dtls::PskPtr counted_psk() {
  std::array<std::uint8_t, dtls::Psk::bytes> key{};
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return dtls::Psk::make(key);
}

// Differs at each call.
inline dtls::PskPtr make_psk() {
  static std::uint8_t number = 0;
  std::array<std::uint8_t, dtls::Psk::bytes> key{};
  key.fill(++number);
  return dtls::Psk::make(key);
}

}  // namespace routevpn::test
