// The pre-shared key (PSK) of a link: 32 bytes that only the two gateways have. It seals
// the envelopes of handshake datagrams (envelope.hpp) and is mixed into the traffic keys
// (key_block.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "routevpn/base/bytes.hpp"

namespace routevpn::dtls {

// Holds a secret of its own for each use, derived by HKDF-SHA256 (RFC 5869) from the PSK, which is
// not kept. The secrets are in locked memory where the system allows it, and wiped at the end.
class Psk {
 public:
  static constexpr std::size_t bytes = 32;

  explicit Psk(std::span<const std::uint8_t, bytes> key);  // throws SystemError
  ~Psk();
  Psk(const Psk&) = delete;
  Psk& operator=(const Psk&) = delete;

  [[nodiscard]] ConstBytes envelope_secret() const { return secrets_.envelope; }
  [[nodiscard]] ConstBytes traffic_secret() const { return secrets_.traffic; }

 private:
  struct Secrets {
    std::array<std::uint8_t, bytes> envelope;
    std::array<std::uint8_t, bytes> traffic;
  };
  Secrets secrets_{};
};

using PskPtr = std::shared_ptr<const Psk>;
// The first seals what this end begins; each opens what the peer sends. Empty: no PSK.
using Psks = std::vector<PskPtr>;

bool same(const PskPtr& a, const PskPtr& b);  // also when a file was loaded twice

// The file holds one line: 32 bytes in base64, as `routevpn pki psk` writes them. Throws UsageError
// naming --psk, the file and the fault: unreadable, owner or mode not trusted (base/trust.hpp), not
// such a line.
PskPtr load_psk(const std::string& path);

}  // namespace routevpn::dtls
