#include "routevpn/options/option_table.hpp"

#include <algorithm>
#include <numeric>

namespace routevpn::options {

namespace {

// Edit distance: insertions, deletions and replacements (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

Option command_line_flag(std::string_view name, std::string_view help) {
  return {name, "", help, {Value::Kind::flag, [](const std::string&) {}}, no_letter, true};
}

const Option* find(const OptionTable& table, std::string_view name) {
  const auto at = std::ranges::find(table, name, &Option::name);
  return at == table.end() ? nullptr : &*at;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known,
                       std::string_view prefix) {
  std::string nearest;
  std::size_t smallest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    const auto away = distance(word, candidate);
    if (away >= smallest) continue;
    smallest = away;
    nearest = candidate;
  }
  if (nearest.empty()) return {};
  return "; did you mean " + std::string(prefix) + nearest + "?";
}

}  // namespace routevpn::options
