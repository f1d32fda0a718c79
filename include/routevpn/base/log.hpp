// The log, on standard error: text, JSON lines, or text with the journal's priority prefix when
// standard error is the journal.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace routevpn {

enum class LogLevel : std::uint8_t { error, warning, info, debug };
inline constexpr std::array<std::string_view, 4> log_level_names = {"error", "warning", "info",
                                                                    "debug"};  // by LogLevel
enum class LogFormat : std::uint8_t { text, json };

// Extra fields of a line: name=value in text (logfmt: in quotes, with \" \\ and \xNN, where the
// value needs them), members in JSON.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

class Log {
 public:
  // Text lines begin with "<3>".."<7>" when JOURNAL_STREAM names our standard error.
  static void configure(LogLevel level, LogFormat format, std::string link);
  static void name_link(std::string link);  // replaces the name given to configure()
  static void write(LogLevel level, std::string_view message, LogFields fields = {});
};

inline void log_error(std::string_view m, LogFields f = {}) {
  Log::write(LogLevel::error, m, f);
}
inline void log_warning(std::string_view m, LogFields f = {}) {
  Log::write(LogLevel::warning, m, f);
}
inline void log_info(std::string_view m, LogFields f = {}) {
  Log::write(LogLevel::info, m, f);
}
inline void log_debug(std::string_view m, LogFields f = {}) {
  Log::write(LogLevel::debug, m, f);
}

}  // namespace routevpn
