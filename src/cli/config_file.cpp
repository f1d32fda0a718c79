#include "routevpn/cli/config_file.hpp"

#include "routevpn/base/error.hpp"
#include "routevpn/pki/files.hpp"

namespace routevpn::cli {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || blanks.find(text[i - 1]) != std::string_view::npos;
    if (text[i] == '#' && begins) return text.substr(0, i);
  }
  return text;
}

// The value of a line, behind the '=' and its blanks.
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

class ConfigScanner {
 public:
  ConfigScanner(const OptionTable& table, const std::string& path) : table_(table), path_(path) {}

  void line(std::string_view text) {
    ++number_;
    const auto bare = trimmed(text);
    if (bare.empty() || bare.front() == '#') return;
    const auto equals = bare.find('=');
    if (bare.find('\0') != std::string_view::npos || equals == std::string_view::npos) {
      fault(": expected 'name = value'");
      return;
    }
    const std::string name(trimmed(bare.substr(0, equals)));
    try {
      assign(name, unquoted(trimmed(bare.substr(equals + 1))));
    } catch (const UsageError& error) {
      fault(": " + name + " " + error.what());
    }
  }

  Scan result() { return std::move(scan_); }

 private:
  void assign(const std::string& name, const std::string& value) {
    const Option* option = find(table_, name);
    if (option == nullptr) {
      fault(": unknown option '" + name + "'" + suggestion(name, names(table_), ""));
      return;
    }
    if (option->command_line_only) throw UsageError("belongs on the command line");
    const std::string label = path_ + ":" + std::to_string(number_) + ": " + name;
    scan_.given.emplace(name, label);
    if (value.empty()) throw UsageError("needs a value: " + argument(*option));
    const std::string written = label + " = " + value;
    if (option->kind == Option::Kind::flag && value != "yes" && value != "no") {
      throw UsageError("= " + value + ": must be yes or no");
    }
    const auto [first, is_new] = first_line_.emplace(name, number_);
    if (!is_new && option->kind != Option::Kind::repeatable) {
      throw UsageError("is set already in line " + std::to_string(first->second));
    }
    scan_.settings.push_back({name, value, label, written});
  }

  static std::string argument(const Option& option) {
    return option.kind == Option::Kind::flag ? "yes or no" : std::string(option.argument);
  }

  void fault(const std::string& text) {
    scan_.faults.push_back(path_ + ":" + std::to_string(number_) + text);
  }

  const OptionTable& table_;
  const std::string& path_;
  unsigned number_ = 0;
  std::map<std::string, unsigned> first_line_;
  Scan scan_;
};

}  // namespace

Scan scan_config(const OptionTable& table, std::string_view text, const std::string& path) {
  ConfigScanner scanner(table, path);
  while (!text.empty()) {
    const auto end = text.find('\n');
    scanner.line(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return scanner.result();
}

Scan read_config(const OptionTable& table, const std::string& path) {
  return scan_config(table, read_file(path), path);
}

}  // namespace routevpn::cli
