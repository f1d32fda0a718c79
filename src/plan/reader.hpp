// Reads a TOML file, and the keys of one table. A missing, unknown or ill-typed key becomes a
// fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// Header-only: every link would load a toml++ library, but only the planner uses it.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "routevpn/base/error.hpp"
#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// Invalid TOML gives one fault and an empty table.
toml::table parse_document(std::string_view text, Faults& faults);

class Reader {
 public:
  template <typename Parse>
  using Parsed = At<std::invoke_result_t<Parse, const std::string&>>;

  // `place` is the table's name as in the file, such as "[[site]]".
  Reader(const toml::table& table, std::string place, Faults& faults)
      : table_(table), place_(std::move(place)), faults_(faults) {}

  [[nodiscard]] Line line() const { return table_.source().begin.line; }
  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  // The line of the key, or of the table if the key is absent.
  [[nodiscard]] Line line_of(std::string_view key) const;
  // These return nothing when the key is absent, and add a fault when its value has another type.
  std::optional<std::uint32_t> integer(std::string_view key, std::uint32_t lowest,
                                       std::uint32_t highest);
  std::optional<bool> boolean(std::string_view key);
  // A string, or an array of strings.
  std::optional<std::vector<At<std::string>>> texts(std::string_view key);
  // The [[key]] tables, in the order of the file.
  std::vector<const toml::table*> tables(std::string_view key);
  const toml::table* table(std::string_view key);

  // `parse` throws UsageError that states the allowed values.
  template <typename Parse>
  std::optional<Parsed<Parse>> parsed(std::string_view key, Parse parse) {
    const auto written = text(key);
    if (!written) return std::nullopt;
    return convert(key, *written, parse);
  }
  template <typename Parse>
  std::optional<std::vector<Parsed<Parse>>> all_parsed(std::string_view key, Parse parse) {
    const auto written = texts(key);
    if (!written) return std::nullopt;
    std::vector<Parsed<Parse>> result;
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
  const toml::node* take(std::string_view key);
  std::optional<At<std::string>> text(std::string_view key);
  void wrong_kind(std::string_view key, const std::string& wanted);

  template <typename Parse>
  std::optional<Parsed<Parse>> convert(std::string_view key, const At<std::string>& written,
                                       Parse parse) {
    try {
      return Parsed<Parse>{parse(written.value), written.line};
    } catch (const UsageError& error) {
      fault(written.line, std::string(key) + " \"" + written.value + "\": " + error.what());
      return std::nullopt;
    }
  }

  const toml::table& table_;
  std::string place_;
  Faults& faults_;
  std::vector<std::string_view> known_;
};

}  // namespace routevpn::plan
