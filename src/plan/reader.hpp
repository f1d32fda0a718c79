// Reads the keys of one table. A missing, unknown or ill-typed key becomes a fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/error.hpp"

#include "document.hpp"

namespace routevpn::plan {

class Reader {
 public:
  // `place` is the table's name as in the file, such as "[[site]]".
  Reader(const Value& table, std::string place, Faults& faults)
      : table_(table), place_(std::move(place)), faults_(faults) {}

  [[nodiscard]] Line line() const { return table_.line; }
  [[nodiscard]] bool has(std::string_view key) const;
  // The line of the key, or of the table if the key is absent.
  [[nodiscard]] Line line_of(std::string_view key) const;
  // These return nothing when the key is absent, and add a fault when its value has another type.
  std::optional<At<std::string>> text(std::string_view key);
  std::optional<At<std::int64_t>> integer(std::string_view key, std::int64_t lowest,
                                          std::int64_t highest);
  // A string, or an array of strings.
  std::optional<std::vector<At<std::string>>> texts(std::string_view key);
  // The [[key]] tables, in the order of the file.
  std::vector<const Value*> tables(std::string_view key);
  const Value* table(std::string_view key);

  // `parse` throws UsageError that states the allowed values.
  template <typename Parse>
  auto parsed(std::string_view key, Parse parse)
      -> std::optional<At<decltype(parse(std::string()))>> {
    const auto written = text(key);
    if (!written) return std::nullopt;
    return convert(key, *written, parse);
  }
  template <typename Parse>
  auto all_parsed(std::string_view key, Parse parse)
      -> std::optional<std::vector<At<decltype(parse(std::string()))>>> {
    const auto written = texts(key);
    if (!written) return std::nullopt;
    std::vector<At<decltype(parse(std::string()))>> result;
    for (const auto& one : *written) {
      if (auto value = convert(key, one, parse)) result.push_back(std::move(*value));
    }
    return result;
  }

  void require(std::string_view key, std::string_view what);
  void fault(Line line, std::string text) { faults_.push_back({line, std::move(text)}); }
  // Adds a fault for each key that no call above has asked for.
  void finish();

 private:
  const Entry* take(std::string_view key);
  void wrong_kind(const Entry& entry, std::string_view wanted);

  template <typename Parse>
  auto convert(std::string_view key, const At<std::string>& written, Parse parse)
      -> std::optional<At<decltype(parse(std::string()))>> {
    try {
      return At<decltype(parse(std::string()))>{parse(written.value), written.line};
    } catch (const UsageError& error) {
      fault(written.line, std::string(key) + " \"" + written.value + "\": " + error.what());
      return std::nullopt;
    }
  }

  const Value& table_;
  std::string place_;
  Faults& faults_;
  std::vector<std::string_view> known_;
};

}  // namespace routevpn::plan
