// Points in time as certificates hold them: whole seconds, UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace routevpn::pki {

using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

TimePoint now();
std::string to_text(TimePoint at);  // 2026-11-21T20:39:00Z
// RFC 3339 in UTC ("Z"); a fraction of a second is allowed and cut off.
std::optional<TimePoint> parse_time(std::string_view text);

}  // namespace routevpn::pki
