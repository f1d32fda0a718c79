// Compiled in here rather than linked: every link would load a library that only the planner uses.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 1
#include "document.hpp"

#include <toml++/toml.h>

namespace routevpn::plan {

namespace {

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
  try {
    return convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    faults.push_back({line_of(error.source()), "not TOML: " + std::string(error.description())});
    return nothing;
  }
}

}  // namespace routevpn::plan
