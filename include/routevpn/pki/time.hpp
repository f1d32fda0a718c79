// Points in time as certificates hold them: whole seconds, UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "routevpn/base/text.hpp"

namespace routevpn::pki {

using TimePoint = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

TimePoint now();
inline std::string to_text(TimePoint at) {
  return rfc3339(at);
}
// RFC 3339 in UTC ("Z"); a fraction of a second is cut off.
std::optional<TimePoint> parse_time(std::string_view text);

}  // namespace routevpn::pki
