#include "reader.hpp"

#include <algorithm>

#include "values.hpp"

namespace routevpn::plan {

namespace {

const Entry* find(const Value& table, std::string_view key) {
  const auto at = std::find_if(table.entries.begin(), table.entries.end(),
                               [&](const Entry& entry) { return entry.key == key; });
  return at == table.entries.end() ? nullptr : &*at;
}

}  // namespace

bool Reader::has(std::string_view key) const {
  return find(table_, key) != nullptr;
}

Line Reader::line_of(std::string_view key) const {
  const auto* const entry = find(table_, key);
  return entry == nullptr ? line() : entry->line;
}

const Entry* Reader::take(std::string_view key) {
  known_.push_back(key);
  return find(table_, key);
}

void Reader::wrong_kind(const Entry& entry, std::string_view wanted) {
  fault(entry.line, entry.key + ": must be " + std::string(wanted));
}

std::optional<At<std::string>> Reader::text(std::string_view key) {
  const auto* const entry = take(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value.kind != Value::Kind::text) {
    wrong_kind(*entry, "a text in quotes");
    return std::nullopt;
  }
  return At<std::string>{entry->value.text, entry->value.line};
}

std::optional<At<std::int64_t>> Reader::integer(std::string_view key, std::int64_t lowest,
                                                std::int64_t highest) {
  const auto* const entry = take(key);
  if (entry == nullptr) return std::nullopt;
  const auto& value = entry->value;
  if (value.kind != Value::Kind::integer || value.integer < lowest || value.integer > highest) {
    wrong_kind(*entry, "a number, " + std::to_string(lowest) + " to " + std::to_string(highest));
    return std::nullopt;
  }
  return At<std::int64_t>{value.integer, value.line};
}

std::optional<std::vector<At<std::string>>> Reader::texts(std::string_view key) {
  const auto* const entry = take(key);
  if (entry == nullptr) return std::nullopt;
  std::vector<At<std::string>> result;
  const auto& value = entry->value;
  if (value.kind == Value::Kind::text) return {{{value.text, value.line}}};
  const bool all_text = value.kind == Value::Kind::array &&
                        std::all_of(value.items.begin(), value.items.end(), [](const Value& item) {
                          return item.kind == Value::Kind::text;
                        });
  if (!all_text) {
    wrong_kind(*entry, "a text in quotes, or a list of them in brackets");
    return std::nullopt;
  }
  for (const auto& item : value.items) result.push_back({item.text, item.line});
  return result;
}

std::vector<const Value*> Reader::tables(std::string_view key) {
  const auto* const entry = take(key);
  if (entry == nullptr) return {};
  std::vector<const Value*> result;
  const auto& value = entry->value;
  if (value.kind == Value::Kind::array) {
    for (const auto& item : value.items) {
      if (item.kind == Value::Kind::table) result.push_back(&item);
    }
  }
  if (value.kind != Value::Kind::array || result.size() != value.items.size()) {
    wrong_kind(*entry, "a list of tables, each in braces or under a line in double brackets");
  }
  return result;
}

const Value* Reader::table(std::string_view key) {
  const auto* const entry = take(key);
  if (entry == nullptr) return nullptr;
  if (entry->value.kind != Value::Kind::table) {
    wrong_kind(*entry, "a table, [" + std::string(key) + "]");
    return nullptr;
  }
  return &entry->value;
}

void Reader::require(std::string_view key, std::string_view what) {
  if (has(key)) return;
  fault(line(), place_ + " needs " + std::string(key) + ": " + std::string(what));
}

void Reader::finish() {
  for (const auto& entry : table_.entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    fault(entry.line,
          "unknown key '" + entry.key + "' in " + place_ + "; known: " + listed(known_, "and"));
  }
}

}  // namespace routevpn::plan
