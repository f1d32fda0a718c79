#include "routevpn/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace routevpn {

namespace {

// The length of the printable character at the start of the text; 0 for a control character and for
// bytes that are not well-formed UTF-8 (Unicode 15, table 3-7).
std::size_t printable_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) -> unsigned {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  std::size_t length = 4;
  if (first < 0xf0) length = 3;
  if (first < 0xe0) length = 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  // The range of the second byte excludes C1 (C2 80..C2 9F), overlong forms, surrogates and
  // numbers above U+10FFFF.
  const unsigned low = first == 0xc2 || first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t at = 2; at < length; ++at) {
    if (byte(at) < 0x80 || byte(at) > 0xbf) return 0;
  }
  return length;
}

}  // namespace

std::string escaped(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', digits[byte >> 4], digits[byte & 0x0f]};
}

std::string printable(std::string_view text) {
  constexpr auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t length = printable_bytes(text);
    if (length == 0) out += escaped(text[0]);
    out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string shortened(std::string_view name) {
  constexpr std::string_view mark = "...";
  if (name.size() <= max_shown_name) return std::string(name);
  return std::string(name.substr(0, max_shown_name - mark.size())).append(mark);
}

std::optional<std::uint32_t> to_number(std::string_view text, int base) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc{} && stopped == end ? std::optional(number) : std::nullopt;
}

namespace {

std::string date_and_time(std::chrono::sys_seconds at) {
  const std::time_t since_1970 = at.time_since_epoch().count();
  std::tm utc{};
  gmtime_r(&since_1970, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return text.data();
}

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point at) {
  using std::chrono::floor, std::chrono::milliseconds, std::chrono::seconds;
  const auto whole = floor<seconds>(at);
  std::array<char, 16> thousandths{};
  std::snprintf(thousandths.data(), thousandths.size(), ".%03dZ",
                static_cast<int>(floor<milliseconds>(at - whole).count()));
  return date_and_time(whole) + thousandths.data();
}

std::string rfc3339(std::chrono::sys_seconds at) {
  return date_and_time(at) + "Z";
}

bool is_interface_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

bool is_interface_name(std::string_view name) {
  return !name.empty() && name.size() <= max_interface_name_bytes && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), is_interface_character) && name != "." &&
         name != ".." && name != "all" && name != "default";
}

bool is_interface_pattern(std::string_view name) {
  std::string numbered(name);
  if (const auto at = numbered.find("%d"); at != std::string::npos) numbered.replace(at, 2, "00");
  return is_interface_name(numbered);
}

}  // namespace routevpn
