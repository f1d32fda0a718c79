// Words of BIRD's answers.
#pragma once

#include <algorithm>
#include <string_view>

#include "routevpn/base/blanks.hpp"

namespace routevpn::bird {

// Removes the text up to the separator, and the separator, and returns the text trimmed.
inline std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto taken = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

// Removes the first word of the text and returns it.
inline std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const auto end = std::min(text.find_first_of(blanks), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// Removes the first line of the text and returns it without its newline.
inline std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace routevpn::bird
