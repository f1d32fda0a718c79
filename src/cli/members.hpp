// Reads members of a link's status object. A member that is missing, and one of another type, is
// empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "routevpn/pki/time.hpp"

namespace routevpn::cli {

// Units of the status object, for amount_in().
inline constexpr double us_per_ms = 1000;
inline constexpr double percent = 0.01;

// Null without the member.
const nlohmann::json& member(const nlohmann::json& object, const char* name);
// Without control characters.
std::string text_in(const nlohmann::json& object, const char* name);
std::string printable_text(const nlohmann::json& value);
// The number in the given unit; empty without one.
std::string amount_in(const nlohmann::json& object, const char* name, double unit, int decimals);
// 0 without the member.
std::uint64_t count_in(const nlohmann::json& object, const char* name);
std::optional<pki::TimePoint> time_in(const nlohmann::json& object, const char* name);

}  // namespace routevpn::cli
