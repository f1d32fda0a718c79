// JSON from another process, which may not be sound.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace routevpn {

// None: the text is not one JSON object, or it is nested deeper than this. To print or destroy such
// an object would use up the stack.
inline std::optional<nlohmann::json> parse_object(std::string_view text, int deepest = 8) {
  bool too_deep = false;
  const auto bounded = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > deepest;
    return !too_deep;
  };
  auto object = nlohmann::json::parse(text, bounded, false);
  if (too_deep || !object.is_object()) return std::nullopt;
  return object;
}

}  // namespace routevpn
