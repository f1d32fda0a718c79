// One table of options per command. It feeds the command line, the configuration file, --help, the
// shell completions and what `routevpn check` prints; a test holds the man page to it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/options/values.hpp"

namespace routevpn::options {

// The variable behind an option, which must outlive the table.
struct Value {
  enum class Kind : std::uint8_t {
    flag,        // no value on the command line; yes or no in a file
    single,      // at most once
    repeatable,  // once per value
  };
  Kind kind;
  // Throws UsageError with the allowed values. A flag is set to "yes" or "no".
  std::function<void(const std::string&)> set;
  std::function<std::vector<std::string>()> write = nullptr;  // null: not for a file
  std::vector<std::string> words = {};                        // completion offers these
  std::string initial = {};                                   // the default; empty: none
};

inline constexpr char no_letter = '\0';

struct Option {
  std::string_view name;
  std::string_view placeholder;  // of the value in --help: FILE, DIR and NETNS also tell completion
                                 // what to offer; empty for a flag
  std::string_view help;         // the default is added
  Value value;
  char letter = no_letter;  // of the short form
  bool command_line_only = false;
  std::string_view group = {};  // heading in --help
};

using OptionTable = std::vector<Option>;

inline Value flag(bool& into) {
  return {Value::Kind::flag, [&into](const std::string& text) { into = parse_yes_no(text); },
          [&into] { return std::vector<std::string>{into ? "yes" : "no"}; }};
}

template <typename T>
Value single(T& into, const Format<T>& format = text()) {
  Value value{Value::Kind::single,
              [&into, parse = format.parse](const std::string& text) { into = parse(text); }};
  value.words = format.words;
  if (!format.write) return value;
  value.write = [&into, write = format.write] { return std::vector{write(into)}; };
  value.initial = format.write(into);
  return value;
}

template <typename T>
Value repeatable(std::vector<T>& into, const Format<T>& format) {
  return {Value::Kind::repeatable,
          [&into, parse = format.parse](const std::string& text) { into.push_back(parse(text)); },
          [&into, write = format.write] {
            std::vector<std::string> texts;
            texts.reserve(into.size());
            for (const auto& value : into) texts.push_back(write(value));
            return texts;
          },
          format.words};
}

// --help and its like: the caller asks Reading::given for it.
Option command_line_flag(std::string_view name, std::string_view help);

const Option* find(const OptionTable& table, std::string_view name);

// "; did you mean --mtu?" for the known word nearest to this one, empty when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& known,
                       std::string_view prefix = "");

}  // namespace routevpn::options
