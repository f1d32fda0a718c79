// Keys of every kind that links accept, and remote keys that sign with them.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "routevpn/pki/openssl.hpp"
#include "routevpn/signer/remote_key.hpp"
#include "routevpn/signer/signer.hpp"

namespace routevpn::test {

enum class Kind : std::uint8_t { p256, p384, ed25519, rsa2048, rsa3072 };
inline constexpr std::array all_kinds = {Kind::p256, Kind::p384, Kind::ed25519, Kind::rsa2048,
                                         Kind::rsa3072};

struct SignatureKind {
  signer::SignScheme scheme;
  signer::SignDigest digest;
  const char* tls_name;  // as SSL_CTX_set1_sigalgs_list() takes it
};
// Those that DTLS uses with a key of this kind.
std::vector<SignatureKind> signature_kinds(Kind kind);

// Another reference of the key.
pki::Key share(const pki::Key& key);
// The process's key of this kind: RSA keys take long to make.
pki::Key private_key(Kind kind);
// The public part, as a certificate has it.
pki::Key public_part(const pki::Key& key);

// Above that of any test.
inline constexpr Rate ample_rate{std::chrono::milliseconds(1), 1'000'000};

// A remote key, and what holds its private key. The clock stands far apart at each signature.
struct Remote {
  struct Holder {
    explicit Holder(pki::Key key) : signer(std::move(key), ample_rate) {}
    signer::Signer signer;
    Time now = Time(std::chrono::hours(1));
    bool refuses = false;
    bool throws = false;
    unsigned requests = 0;
    signer::SignScheme scheme{};  // of the last request
    signer::SignDigest digest{};

    std::size_t sign(const signer::SignRequest& request, std::span<std::uint8_t> signature);
  };

  explicit Remote(Kind kind);

  std::shared_ptr<Holder> holder;
  pki::Key key;
};

// Whether OpenSSL's default provider accepts the signature.
bool verifies(const pki::Key& public_key, const SignatureKind& kind, ConstBytes message,
              ConstBytes signature);

}  // namespace routevpn::test
