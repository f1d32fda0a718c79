#include "reader.hpp"

#include <algorithm>

#include "values.hpp"

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

At<std::string> located(const toml::value<std::string>& text) {
  return {text.get(), text.source().begin.line};
}

}  // namespace

toml::table parse_document(std::string_view text, Faults& faults) {
  if (const Line line = first_long_line(text); line != 0) {
    faults.push_back({line, "line is longer than " + std::to_string(longest_line) +
                                " bytes; a list may span several lines"});
    return {};
  }
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    faults.push_back(
        {error.source().begin.line, "invalid TOML: " + std::string(error.description())});
    return {};
  }
}

Line Reader::line_of(std::string_view key) const {
  const auto at = table_.find(key);
  return at == table_.end() ? line() : at->first.source().begin.line;
}

const toml::node* Reader::take(std::string_view key) {
  known_.push_back(key);
  return table_.get(key);
}

void Reader::wrong_kind(std::string_view key, const std::string& wanted) {
  fault(line_of(key), std::string(key) + ": must be " + wanted);
}

std::optional<At<std::string>> Reader::text(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* const text = node->as_string()) return located(*text);
  wrong_kind(key, "a text in quotes");
  return std::nullopt;
}

std::optional<std::uint32_t> Reader::integer(std::string_view key, std::uint32_t lowest,
                                             std::uint32_t highest) {
  const auto* const node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto* const number = node->as_integer();
  if (number != nullptr && number->get() >= lowest && number->get() <= highest) {
    return static_cast<std::uint32_t>(number->get());
  }
  wrong_kind(key, "a number, " + std::to_string(lowest) + " to " + std::to_string(highest));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* const value = node->as_boolean()) return value->get();
  wrong_kind(key, "true or false");
  return std::nullopt;
}

std::optional<std::vector<At<std::string>>> Reader::texts(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* const text = node->as_string()) return {{located(*text)}};
  const auto* const array = node->as_array();
  if (array == nullptr || (!array->empty() && !array->is_homogeneous<std::string>())) {
    wrong_kind(key, "a text in quotes, or a list of them in brackets");
    return std::nullopt;
  }
  std::vector<At<std::string>> result;
  for (const auto& item : *array) result.push_back(located(*item.as_string()));
  return result;
}

std::optional<std::vector<Reader::TextOrTable>> Reader::texts_or_tables(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return std::nullopt;
  std::vector<TextOrTable> result;
  const auto add = [&](const toml::node& item) {
    if (const auto* const text = item.as_string()) result.push_back({located(*text), nullptr});
    if (const auto* const table = item.as_table()) result.push_back({std::nullopt, table});
    return item.is_string() || item.is_table();
  };
  const auto* const array = node->as_array();
  bool good = array != nullptr || add(*node);
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    good = add(*array->get(i)) && good;
  }
  if (good) return result;
  wrong_kind(key, "a text in quotes, a table in braces, or a list of them in brackets");
  return std::nullopt;
}

std::vector<const toml::table*> Reader::tables(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> result;
  const auto* const array = node->as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
    if (const auto* const table = array->get_as<toml::table>(i)) result.push_back(table);
  }
  if (array == nullptr || result.size() != array->size()) {
    wrong_kind(key, "a list of tables, each in braces or under a line in double brackets");
  }
  return result;
}

const toml::table* Reader::table(std::string_view key) {
  const auto* const node = take(key);
  if (node == nullptr) return nullptr;
  if (!node->is_table()) wrong_kind(key, "a table, [" + std::string(key) + "]");
  return node->as_table();
}

void Reader::require(std::string_view key, std::string_view what) {
  if (has(key)) return;
  fault(line(), place_ + " needs " + std::string(key) + ": " + std::string(what));
}

void Reader::finish() {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known_, key.str()) != known_.end()) continue;
    fault(key.source().begin.line, "unknown key '" + std::string(key.str()) + "' in " + place_ +
                                       "; known: " + listed(known_, "and"));
  }
}

}  // namespace routevpn::plan
