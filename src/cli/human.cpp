#include "routevpn/cli/human.hpp"

#include <array>
#include <cstdio>

namespace routevpn::cli {

std::string fixed(double number, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return text.data();
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr double step = 1024;
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes) / step;
  std::size_t unit = 0;
  while (amount >= step && unit + 1 < units.size()) {
    amount /= step;
    ++unit;
  }
  return fixed(amount, 2) + " " + units[unit];
}

std::string human_duration(std::chrono::seconds length) {
  using std::chrono::days, std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  const auto text = [](auto count, const char* unit) { return std::to_string(count) + unit; };
  if (length < seconds{0}) length = seconds{0};
  if (length < minutes{1}) return text(length.count(), " s");
  if (length < hours{1}) return text(length / minutes{1}, " min");
  if (length < days{1}) {
    return text(length / hours{1}, " h ") + text(length % hours{1} / minutes{1}, " min");
  }
  return text(length / days{1}, " d ") + text(length % days{1} / hours{1}, " h");
}

}  // namespace routevpn::cli
