#include "routevpn/options/parse_link.hpp"

#include "routevpn/options/config_file.hpp"
#include "routevpn/options/link_table.hpp"

#include "link_rules.hpp"

namespace routevpn::options {

namespace {

std::string stem(const std::string& path) {
  const auto file = path.substr(path.rfind('/') + 1);
  const auto dot = file.rfind('.');
  return dot == std::string::npos || dot == 0 ? file : file.substr(0, dot);
}

}  // namespace

ParsedLink parse_link(std::span<const std::string> arguments) {
  LinkDraft draft;
  const auto table = link_table(draft);
  const auto settings = parse_arguments(table, arguments);
  ParsedLink parsed;
  Settings file;
  const auto& given = settings.settings;
  const auto config = std::find_if(given.begin(), given.end(), [](const Setting& setting) {
    return setting.name == "config" && setting.value;
  });
  if (config != given.end()) {
    draft.options.link = stem(*config->value);
    try {
      file = read_config(*config->value);
    } catch (const UsageError& error) {
      // Without the file, every other fault could be a consequence.
      parsed.faults = {error.what()};
      parsed.file_was_read = false;
      return parsed;
    }
  }
  auto reading = store(table, settings, file);
  if (reading.has("version")) parsed.request = ParsedLink::Request::version;
  if (reading.has("help")) parsed.request = ParsedLink::Request::help;
  reading.refuse_operands();
  parsed.warnings = complete_link(draft, reading);
  parsed.options = std::move(draft.options);
  parsed.faults = std::move(reading.faults);
  return parsed;
}

}  // namespace routevpn::options
