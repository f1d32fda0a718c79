// Blanks in the lines of files and answers. '\r' counts, so that lines with "\r\n" are read too.
#pragma once

#include <string_view>

namespace routevpn {

inline constexpr std::string_view blanks = " \t\r";

// Without the blanks at both ends.
inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace routevpn
