// What the record room's tests share: suites and backends, random bytes, sealed records.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/seal.hpp"

namespace routevpn::record {

using ByteVector = std::vector<std::uint8_t>;

inline constexpr std::array all_suites = {CipherSuite::aes_128_gcm, CipherSuite::aes_256_gcm,
                                          CipherSuite::chacha20_poly1305};

struct Choice {
  CryptoBackend backend;
  CipherSuite suite;
};

// Whether ipsec-mb works here at all, be it fast or not.
inline bool ipsec_mb_works() {
  const ByteVector key(traits(CipherSuite::aes_128_gcm).key_bytes);
  try {
    return make_aead(CryptoBackend::ipsec_mb, CipherSuite::aes_128_gcm, key) != nullptr;
  } catch (const SystemError&) {
    return false;
  }
}

inline std::vector<Choice> all_choices() {
  std::vector<Choice> choices = {{CryptoBackend::openssl, CipherSuite::aes_128_gcm},
                                 {CryptoBackend::openssl, CipherSuite::aes_256_gcm},
                                 {CryptoBackend::openssl, CipherSuite::chacha20_poly1305}};
  if (ipsec_mb_works()) {
    choices.push_back({CryptoBackend::ipsec_mb, CipherSuite::aes_128_gcm});
    choices.push_back({CryptoBackend::ipsec_mb, CipherSuite::aes_256_gcm});
  }
  return choices;
}

inline ByteVector from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  ByteVector bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
  }
  return bytes;
}

// Random, but the same in every run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(engine_);
  }
  void fill(Bytes bytes) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(engine_());
  }
  ByteVector bytes(std::size_t length) {
    ByteVector result(length);
    fill(result);
    return result;
  }
  DirectionKeys keys() {
    DirectionKeys keys;
    fill(keys.key);
    fill(keys.iv);
    return keys;
  }

 private:
  std::mt19937_64 engine_;
};

// One payload sealed to one record of its own; empty when the sealer refused.
inline ByteVector sealed_record(Sealer& sealer, ConstBytes payload,
                                ContentType type = ContentType::application_data) {
  const std::size_t before = headroom(sealer.suite());
  ByteVector record(before + payload.size() + tailroom);
  std::copy(payload.begin(), payload.end(), record.begin() + static_cast<std::ptrdiff_t>(before));
  const OutboundPacket packet{record.data() + before, static_cast<std::uint32_t>(payload.size())};
  if (sealer.seal({&packet, 1}, type) == 0) record.clear();
  return record;
}

}  // namespace routevpn::record
