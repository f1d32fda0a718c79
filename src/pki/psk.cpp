#include "routevpn/pki/psk.hpp"

#include <algorithm>
#include <array>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "routevpn/pki/files.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::pki {

std::string make_psk() {
  std::array<unsigned char, psk_bytes> key{};
  require(RAND_priv_bytes(key.data(), key.size()) == 1, "make random bytes");
  std::string line(psk_characters + 1, '\0');  // EVP_EncodeBlock appends a zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(line.data()), key.data(), key.size());
  OPENSSL_cleanse(key.data(), key.size());
  line.back() = '\n';
  return line;
}

void create_psk(const std::string& path) {
  FileSet files;
  files.stage(path, make_psk(), 0600, FileSet::Existing::refuse);
  files.commit();
}

bool decode_psk(std::string_view line, std::span<std::uint8_t, psk_bytes + 1> key) {
  if (line.size() != psk_characters ||
      EVP_DecodeBlock(key.data(), reinterpret_cast<const unsigned char*>(line.data()),
                      psk_characters) != static_cast<int>(key.size())) {
    return false;
  }
  std::array<char, psk_characters + 1> again{};
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()), key.data(), psk_bytes);
  const bool canonical = std::equal(line.begin(), line.end(), again.begin());
  OPENSSL_cleanse(again.data(), again.size());
  return canonical;
}

}  // namespace routevpn::pki
