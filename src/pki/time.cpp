#include "routevpn/pki/time.hpp"

#include <ctime>

namespace routevpn::pki {

TimePoint now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::optional<TimePoint> parse_time(std::string_view text) {
  const std::string terminated(text);
  std::tm utc{};
  const char* rest = strptime(terminated.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr) return std::nullopt;
  std::string_view tail(rest);
  if (tail.starts_with('.')) {
    const auto digits_end = tail.find_first_not_of("0123456789", 1);
    if (digits_end == 1 || digits_end == std::string_view::npos) return std::nullopt;
    tail.remove_prefix(digits_end);
  }
  if (tail != "Z") return std::nullopt;
  return TimePoint{std::chrono::seconds{timegm(&utc)}};
}

}  // namespace routevpn::pki
