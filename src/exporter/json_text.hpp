// Parts of the JSON that several answers have.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace routevpn::exporter {

using nlohmann::json;

// One line of ASCII. Names come from certificates and from BIRD: a byte that is not UTF-8 becomes
// U+FFFD.
inline std::string ascii_text(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

inline json fault_json(const char* kind, const std::string& name, const std::string& reason,
                       const std::string& error) {
  return {{kind, name}, {"reason", reason}, {"error", error.empty() ? json(nullptr) : json(error)}};
}

}  // namespace routevpn::exporter
