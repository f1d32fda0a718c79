// Members of a link's status, which may be missing or of another type.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace routevpn::exporter {

using nlohmann::json;

// A member of an object; null if there is none.
inline const json& member(const json& object, const char* name) {
  static const json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

template <typename... Names>
const json& member(const json& object, const char* name, Names... deeper) {
  return member(member(object, name), deeper...);
}

// "" unless it is a string.
template <typename... Names>
std::string text(const json& object, Names... names) {
  const auto& value = member(object, names...);
  return value.is_string() ? value.template get<std::string>() : std::string();
}

template <typename... Names>
std::optional<double> number(const json& object, Names... names) {
  const auto& value = member(object, names...);
  if (!value.is_number()) return std::nullopt;
  const auto result = value.template get<double>();
  return std::isfinite(result) ? std::optional(result) : std::nullopt;
}

template <typename... Names>
bool is_true(const json& object, Names... names) {
  const auto& value = member(object, names...);
  return value.is_boolean() && value.template get<bool>();
}

}  // namespace routevpn::exporter
