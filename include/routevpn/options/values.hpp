// The values of options, from text and to text. All parsers throw UsageError with the allowed
// values; the caller adds the name of the option.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::options {

// Decimal, or hexadecimal after 0x. `unit` follows the bounds in the message: " milliseconds".
std::uint32_t parse_number(const std::string& text, std::uint32_t lowest, std::uint32_t highest,
                           const std::string& unit = "");
std::uint16_t parse_port(const std::string& text);
bool parse_yes_no(const std::string& text);
PeerAddress parse_peer(const std::string& text);      // HOST[:PORT]
ListenAddress parse_listen(const std::string& text);  // [ADDR:]PORT
std::string parse_host(const std::string& text);      // alone: IPv6 with or without brackets
std::string parse_ifname(const std::string& text);
IpPrefix parse_interface_address(const std::string& text);
IpPrefix parse_network(const std::string& text);
std::string parse_text(const std::string& text);                   // not empty, all printable
std::chrono::milliseconds parse_timeout(const std::string& text);  // seconds, with decimals

// "a, b or c" for {a, b, c} and "or".
std::string enumerated(const std::vector<std::string>& words, const std::string& conjunction);

// How the values of one type are read and written.
template <typename T>
struct Format {
  std::function<T(const std::string&)> parse;
  std::function<std::string(const T&)> write = nullptr;  // empty result: the option is not set
  std::vector<std::string> words = {};                   // completion offers these
};

inline Format<std::string> text() {
  return {parse_text, [](const std::string& value) { return value; }};
}

// A value below `lowest` stands for an option that is not set.
template <typename T>
Format<T> number(std::uint32_t lowest, std::uint32_t highest = UINT32_MAX,
                 const std::string& unit = "") {
  return {[=](const std::string& text) {
            return static_cast<T>(parse_number(text, lowest, highest, unit));
          },
          [=](const T& value) {
            if (value < static_cast<T>(lowest)) return std::string();
            if constexpr (requires { value.count(); }) {
              return std::to_string(value.count());
            } else {
              return std::to_string(value);
            }
          }};
}

// A type with to_string().
template <typename T>
Format<T> spelled(T (*parse)(const std::string&)) {
  return {parse, [](const T& value) { return value.to_string(); }};
}

// `word`, if not empty, stands for no value.
template <typename T>
Format<std::optional<T>> optional(const Format<T>& format, const std::string& word = "") {
  return {[=](const std::string& text) -> std::optional<T> {
            if (word.empty()) return format.parse(text);
            if (text == word) return std::nullopt;
            try {
              return format.parse(text);
            } catch (const UsageError& error) {
              throw UsageError(error.what() + (", or " + word));
            }
          },
          [=](const std::optional<T>& value) { return value ? format.write(*value) : word; },
          word.empty() ? format.words : std::vector{word}};
}

// Each pair holds a value and its word.
template <typename T>
Format<T> one_of(const std::vector<std::pair<T, std::string>>& pairs) {
  std::vector<std::string> words;
  words.reserve(pairs.size());
  for (const auto& pair : pairs) words.push_back(pair.second);
  return {[=](const std::string& text) {
            for (const auto& [value, word] : pairs) {
              if (word == text) return value;
            }
            throw UsageError("must be " + enumerated(words, "or"));
          },
          [=](const T& value) {
            for (const auto& [known, word] : pairs) {
              if (known == value) return word;
            }
            return std::string();
          },
          words};
}

}  // namespace routevpn::options
