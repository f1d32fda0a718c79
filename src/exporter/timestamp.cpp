#include "timestamp.hpp"

#include <chrono>

#include "routevpn/base/text.hpp"

namespace routevpn::exporter {

// 2026-11-21T20:39:00Z, 2026-11-21T20:39:00.042Z
std::optional<double> to_timestamp(std::string_view rfc3339) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (rfc3339.size() <= form.size() || rfc3339.back() != 'Z') return std::nullopt;
  for (std::size_t at = 0; at < form.size(); ++at) {
    if (form[at] != '0' && rfc3339[at] != form[at]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t digits) {
    return to_number(rfc3339.substr(at, digits));
  };
  const auto year = part(0, 4);
  const auto month = part(5, 2);
  const auto day = part(8, 2);
  const auto hour = part(11, 2);
  const auto minute = part(14, 2);
  const auto second = part(17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return 86400.0 * static_cast<double>(days) + 3600.0 * *hour + 60.0 * *minute + *second;
}

}  // namespace routevpn::exporter
