#include "routevpn/dtls/psk.hpp"

#include <string_view>

#include <openssl/crypto.h>
#include <sys/mman.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/psk.hpp"

#include "hkdf.hpp"

namespace routevpn::dtls {

namespace {

// Wiped by its destructor.
template <std::size_t size>
struct Wiped : std::array<std::uint8_t, size> {
  Wiped() : std::array<std::uint8_t, size>{} {}
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { OPENSSL_cleanse(this->data(), size); }
};

constexpr std::string_view option = "--psk ";

SecretText read(const std::string& path) {
  try {
    return SecretText(read_file(path, Trust::secret));
  } catch (const UsageError& error) {
    throw UsageError(std::string(option) + error.what());
  }
}

}  // namespace

Psk::Psk(std::span<const std::uint8_t, bytes> key) {
  // The limit of locked memory may be zero for a user other than root.
  [[maybe_unused]] const int locked = mlock(&secrets_, sizeof secrets_);
  hkdf_sha256({}, key, "routevpn/1 psk envelope", secrets_.envelope);
  hkdf_sha256({}, key, "routevpn/1 psk traffic", secrets_.traffic);
}

Psk::~Psk() {
  OPENSSL_cleanse(&secrets_, sizeof secrets_);
}

bool same(const PskPtr& a, const PskPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr &&
         CRYPTO_memcmp(a->traffic_secret().data(), b->traffic_secret().data(), Psk::bytes) == 0;
}

PskPtr load_psk(const std::string& path) {
  const SecretText text = read(path);
  std::string_view line = text.get();
  if (line.ends_with('\n')) line.remove_suffix(1);
  Wiped<Psk::bytes + 1> key;
  if (!pki::decode_psk(line, key)) {
    throw UsageError(std::string(option) + path +
                     ": must hold one line with 32 bytes in base64 (routevpn pki psk makes it)");
  }
  return std::make_shared<const Psk>(std::span(key).first<Psk::bytes>());
}

}  // namespace routevpn::dtls
