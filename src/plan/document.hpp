// A TOML file as a tree whose nodes have line numbers. Only document.cpp includes toml++.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

struct Entry;

struct Value {
  enum class Kind : std::uint8_t { text, integer, array, table, other };

  Kind kind = Kind::other;
  std::string text;
  std::int64_t integer = 0;
  std::vector<Value> items;
  std::vector<Entry> entries;
  Line line = 0;
};

struct Entry {
  std::string key;
  Value value;
  Line line = 0;  // of the key
};

// Returns the root table. Invalid TOML gives one fault and an empty table.
Value parse_document(std::string_view text, Faults& faults);

}  // namespace routevpn::plan
