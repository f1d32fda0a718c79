// The pre-shared key (PSK) of a link: 32 bytes that only the two gateways have. It seals
// the envelopes of handshake datagrams (envelope.hpp) and is mixed into the traffic keys
// (key_block.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/pki/psk.hpp"
#include "routevpn/record/locked_memory.hpp"

namespace routevpn::dtls {

class Psk;
using PskPtr = std::shared_ptr<const Psk>;
// The first seals what this end begins; each opens what the peer sends. Empty: no PSK.
using Psks = std::vector<PskPtr>;

// Holds a secret of its own for each use, derived by HKDF-SHA256 (RFC 5869) from the PSK, which is
// not kept.
class Psk : public record::InLockedMemory {
 public:
  static constexpr std::size_t bytes = pki::psk_bytes;

  static PskPtr make(std::span<const std::uint8_t, bytes> key);  // throws SystemError
  // Of two secrets that another process has derived.
  static PskPtr of_secrets(std::span<const std::uint8_t, bytes> envelope,
                           std::span<const std::uint8_t, bytes> traffic);
  Psk(const Psk&) = delete;
  Psk& operator=(const Psk&) = delete;

  [[nodiscard]] ConstBytes envelope_secret() const { return envelope_secret_; }
  [[nodiscard]] ConstBytes traffic_secret() const { return traffic_secret_; }

 private:
  Psk() = default;

  std::array<std::uint8_t, bytes> envelope_secret_{};
  std::array<std::uint8_t, bytes> traffic_secret_{};
};

bool same(const PskPtr& a, const PskPtr& b);  // also when a file was loaded twice

}  // namespace routevpn::dtls
