#include "routevpn/options/config_file.hpp"

#include "routevpn/base/blanks.hpp"
#include "routevpn/base/files.hpp"

namespace routevpn::options {

namespace {

std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || blanks.find(text[i - 1]) != std::string_view::npos;
    if (text[i] == '#' && begins) return text.substr(0, i);
  }
  return text;
}

// The value behind the '=' and its blanks.
std::string unquoted(std::string_view text) {
  if (!text.starts_with('"')) return std::string(trimmed(without_comment(text)));
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      if (!trimmed(without_comment(text.substr(i + 1))).empty()) {
        throw UsageError("has text behind the closing quote");
      }
      return value;
    }
    const bool escaped =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escaped) ++i;
    value += text[i];
  }
  throw UsageError("has no closing quote");
}

Setting parse_line(std::string_view line, const std::string& path, unsigned number) {
  Setting setting{"", std::nullopt, path, number};
  const auto equals = line.find('=');
  if (line.find('\0') != std::string_view::npos || equals == std::string_view::npos) {
    setting.fault = setting.place() + "expected 'name = value'";
    return setting;
  }
  setting.name = trimmed(line.substr(0, equals));
  try {
    setting.value = unquoted(trimmed(line.substr(equals + 1)));
  } catch (const UsageError& error) {
    setting.fault = setting.label() + " " + error.what();
  }
  return setting;
}

std::string quoted(const std::string& value) {
  const bool plain = value.find_first_of("\"#") == std::string::npos && value.front() != ' ' &&
                     value.back() != ' ';
  if (plain) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

Settings parse_config(std::string_view text, const std::string& path) {
  Settings result;
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    if (!line.empty() && line.front() != '#') {
      result.settings.push_back(parse_line(line, path, number));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

Settings read_config(const std::string& path) {
  return parse_config(read_file(path, Trust::unaltered), path);
}

std::string write_config(const OptionTable& table) {
  std::string text;
  for (const auto& option : table) {
    if (!option.value.write) continue;
    for (const auto& value : option.value.write()) {
      if (!value.empty()) text.append(option.name).append(" = ").append(quoted(value)).append("\n");
    }
  }
  return text;
}

}  // namespace routevpn::options
