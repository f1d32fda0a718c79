#include "routevpn/cli/option_table.hpp"

#include <algorithm>
#include <numeric>

#include "routevpn/base/error.hpp"

namespace routevpn::cli {

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

std::string left_column(const Option& option) {
  std::string text = option.letter == '\0' ? "      " : std::string("  -") + option.letter + ", ";
  text += "--";
  text += option.name;
  if (!option.argument.empty()) text += " ";
  return text += option.argument;
}

}  // namespace

const Option* find(const OptionTable& table, std::string_view name) {
  const auto at = std::find_if(table.begin(), table.end(),
                               [&](const Option& option) { return option.name == name; });
  return at == table.end() ? nullptr : &*at;
}

Scan overlay(Scan file, const Scan& command_line) {
  Scan both = command_line;
  std::erase_if(file.settings,
                [&](const Setting& setting) { return command_line.given.contains(setting.name); });
  both.settings.insert(both.settings.begin(), file.settings.begin(), file.settings.end());
  both.faults.insert(both.faults.end(), file.faults.begin(), file.faults.end());
  both.given.merge(file.given);
  return both;
}

void apply(const OptionTable& table, std::span<const Setting> settings,
           std::vector<std::string>& faults) {
  for (const auto& setting : settings) {
    try {
      find(table, setting.name)->set(setting.value);
    } catch (const UsageError& error) {
      faults.push_back(setting.written + ": " + error.what());
    }
  }
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known,
                       std::string_view prefix) {
  std::string_view nearest;
  std::size_t smallest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : known) {
    const auto away = distance(word, candidate);
    if (away >= smallest) continue;
    smallest = away;
    nearest = candidate;
  }
  if (nearest.empty()) return {};
  return "; did you mean " + std::string(prefix) + std::string(nearest) + "?";
}

std::vector<std::string_view> names(const OptionTable& table) {
  std::vector<std::string_view> result;
  for (const auto& option : table) result.push_back(option.name);
  return result;
}

std::string help_text(const OptionTable& table) {
  std::size_t width = 0;
  for (const auto& option : table) width = std::max(width, left_column(option).size());
  std::string text;
  for (const auto& option : table) {
    std::string left = left_column(option);
    left.resize(width + 2, ' ');
    text += left;
    text += option.help;
    text += "\n";
  }
  return text;
}

}  // namespace routevpn::cli
