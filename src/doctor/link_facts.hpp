// What several checks ask of a link.
#pragma once

#include <cstdint>
#include <string>

#include "routevpn/doctor/doctor.hpp"

namespace routevpn::doctor {

// Never throws: the status comes from a worker that may not be sound. A missing member, and one of
// another type, is null.
inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json nothing;
  if (!object.is_object()) return nothing;
  const auto at = object.find(name);
  return at == object.end() ? nothing : *at;
}

inline std::string text(const nlohmann::json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline std::uint64_t count(const nlohmann::json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

inline bool is_up(const Link& link) {
  return text(link.status, "state") == "up";
}

// "ip netns exec NAME ", for a command to print.
inline std::string exec_in(const std::string& netns) {
  return netns.empty() ? std::string() : "ip netns exec " + netns + " ";
}

inline std::string space_text(const std::string& netns) {
  return netns.empty() ? "the host's namespace" : "namespace " + netns;
}

}  // namespace routevpn::doctor
