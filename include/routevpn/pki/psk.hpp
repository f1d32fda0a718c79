// Files with a pre-shared key (PSK): one line with 32 bytes in base64, as `wg genpsk` prints it.
#pragma once

#include <string>
#include <string_view>

#include "routevpn/base/secret.hpp"

namespace routevpn::pki {

inline constexpr std::size_t psk_bytes = 32;
inline constexpr std::size_t psk_characters = 44;  // 4 for each 3 bytes, the last is '='

struct PskOrder {
  std::string out;  // the file to make; empty: print the PSK
};

// A new random line, with its end. Throws SystemError.
std::string make_psk();
// Makes a file of mode 0600. Throws UsageError if it exists, SystemError if it cannot be written.
void create_psk(const std::string& path);

// Decodes the content of such a file. The end of its line may be missing. False: not 32 bytes in
// canonical base64.
bool decode_psk(std::string_view content, Secret<psk_bytes>& key);

}  // namespace routevpn::pki
