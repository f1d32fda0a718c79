#include "routevpn/pki/psk.hpp"

#include <algorithm>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "routevpn/pki/files.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::pki {

std::string make_psk() {
  Secret<psk_bytes> key;
  require(RAND_priv_bytes(key.data(), key.size()) == 1, "make random bytes");
  std::string line(psk_characters + 1, '\0');  // EVP_EncodeBlock appends a zero
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(line.data()), key.data(), key.size());
  line.back() = '\n';
  return line;
}

void create_psk(const std::string& path) {
  FileSet files;
  files.stage(path, make_psk(), 0600, FileSet::Existing::refuse);
  files.commit();
}

bool decode_psk(std::string_view content, Secret<psk_bytes>& key) {
  if (content.ends_with('\n')) content.remove_suffix(1);
  Secret<psk_bytes + 1> decoded;  // OpenSSL decodes the padding to a zero
  if (content.size() != psk_characters ||
      EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(content.data()),
                      psk_characters) != static_cast<int>(decoded.size())) {
    return false;
  }
  Secret<psk_characters + 1> again;
  EVP_EncodeBlock(again.data(), decoded.data(), psk_bytes);
  std::copy_n(decoded.begin(), key.size(), key.begin());
  return std::equal(content.begin(), content.end(), again.begin());
}

}  // namespace routevpn::pki
