// Header-only: every link would load a toml++ library, but only the planner uses it.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 1
#include "document.hpp"

#include <algorithm>
#include <string>

#include <toml++/toml.h>

namespace routevpn::plan {

namespace {

// In bytes. toml++ recurses for each dot of a key, so this limits the depth of its stack.
constexpr std::size_t longest_line = 10'000;

// The first line that exceeds longest_line, or 0.
Line first_long_line(std::string_view text) {
  for (Line line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > longest_line) return line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

Line line_of(const toml::source_region& source) {
  return source.begin.line;
}

Value convert(const toml::node& node) {
  Value value;
  value.line = line_of(node.source());
  if (const auto* text = node.as_string()) {
    value.kind = Value::Kind::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = Value::Kind::integer;
    value.integer = integer->get();
  } else if (const auto* array = node.as_array()) {
    value.kind = Value::Kind::array;
    for (const auto& item : *array) value.items.push_back(convert(item));
  } else if (const auto* table = node.as_table()) {
    value.kind = Value::Kind::table;
    for (const auto& [key, item] : *table) {
      value.entries.push_back({std::string(key.str()), convert(item), line_of(key.source())});
    }
  }
  return value;
}

}  // namespace

Value parse_document(std::string_view text, Faults& faults) {
  Value nothing;
  nothing.kind = Value::Kind::table;
  nothing.line = 1;
  if (const Line line = first_long_line(text); line != 0) {
    faults.push_back({line, "line is longer than " + std::to_string(longest_line) +
                                " bytes; a list may span several lines"});
    return nothing;
  }
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    faults.push_back(
        {line_of(error.source()), "invalid TOML: " + std::string(error.description())});
    return nothing;
  }
}

}  // namespace routevpn::plan
