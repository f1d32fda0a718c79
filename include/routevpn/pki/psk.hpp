// Files with a pre-shared key (PSK): one line with 32 bytes in base64, as `wg genpsk` prints it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

// Decodes a line without its end. False: not 32 bytes in canonical base64. The byte after the key
// is zero, because OpenSSL decodes the padding too.
bool decode_psk(std::string_view line, std::span<std::uint8_t, psk_bytes + 1> key);

}  // namespace routevpn::pki
