#include "routevpn/base/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/text.hpp"

namespace routevpn {

namespace {

struct Settings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  bool journal = false;
  std::string link;
};

std::mutex mutex;
Settings settings;

constexpr std::array<std::string_view, 4> journal_prefixes = {"<3>", "<4>", "<6>", "<7>"};

// JOURNAL_STREAM is DEVICE:INODE of the stream that systemd reads. A redirected standard error has
// other numbers.
bool stderr_is_journal() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (named == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == named;
}

// Members that are not ASCII are escaped, so a terminal that shows the line interprets none of
// them.
std::string json_line(LogLevel level, std::string_view message, LogFields fields) {
  nlohmann::ordered_json line = {{"time", rfc3339(std::chrono::system_clock::now())},
                                 {"level", log_level_names[static_cast<std::size_t>(level)]},
                                 {"link", settings.link},
                                 {"message", message}};
  for (const auto& [name, value] : fields) line.emplace(std::string(name), value);
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// A value of a text line as logfmt has it. In quotes unless it is plain ASCII without blank, '=',
// '"' and '\\', so that a value that a stranger chose cannot look like another field.
std::string field_value(std::string_view value) {
  const auto is_plain = [](char c) {
    return c > ' ' && c <= '~' && c != '=' && c != '"' && c != '\\';
  };
  if (!value.empty() && std::ranges::all_of(value, is_plain)) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c >= ' ' && c <= '~') {
      quoted += c;
    } else {
      quoted += escaped(c);
    }
  }
  return quoted += '"';
}

std::string text_line(LogLevel level, std::string_view message, LogFields fields) {
  std::string line;
  if (settings.journal) line += journal_prefixes[static_cast<std::size_t>(level)];
  if (!settings.link.empty()) line += settings.link + ": ";
  if (level <= LogLevel::warning) {
    line += log_level_names[static_cast<std::size_t>(level)];
    line += ": ";
  }
  line += printable(message);
  for (const auto& [name, value] : fields) {
    line.append(" ").append(name).append("=") += field_value(value);
  }
  return line + "\n";
}

}  // namespace

void Log::configure(LogLevel level, LogFormat format, std::string link) {
  const std::lock_guard lock(mutex);
  settings = {level, format, stderr_is_journal(), std::move(link)};
}

void Log::name_link(std::string link) {
  const std::lock_guard lock(mutex);
  settings.link = std::move(link);
}

void Log::write(LogLevel level, std::string_view message, LogFields fields) {
  const std::lock_guard lock(mutex);
  if (level > settings.level) return;
  const std::string line = settings.format == LogFormat::json ? json_line(level, message, fields)
                                                              : text_line(level, message, fields);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace routevpn
