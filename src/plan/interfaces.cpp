#include "interfaces.hpp"

#include <map>

#include "values.hpp"

namespace routevpn::plan {

namespace {

// The names of one list, and their lines.
class InterfaceNames {
 public:
  InterfaceNames(Reader& reader, std::string_view key) : reader_(reader), key_(key) {}

  void add(const std::string& name, Line line) {
    const auto [at, is_new] = lines_.emplace(name, line);
    if (is_new) return;
    reader_.fault(line, std::string(key_) + ": duplicate interface " + name + ", first in line " +
                            std::to_string(at->second));
  }

 private:
  Reader& reader_;
  std::string_view key_;
  std::map<std::string, Line> lines_;
};

Interface interface_of(const toml::table& table, std::string_view key, Faults& faults) {
  Reader reader(table, std::string(key), faults);
  reader.require("name", "the name of the interface");
  Interface interface;
  if (const auto name = reader.parsed("name", parse_ifname)) interface.name = name->value;
  interface.addresses =
      reader.all_parsed("addresses", parse_interface_address).value_or(std::vector<At<IpPrefix>>());
  reader.finish();
  return interface;
}

}  // namespace

std::optional<std::vector<Interface>> read_interfaces(Reader& reader, std::string_view key,
                                                      Faults& faults) {
  const auto written = reader.texts_or_tables(key);
  if (!written) return std::nullopt;
  std::vector<Interface> all;
  InterfaceNames names(reader, key);
  for (const auto& [text, table] : *written) {
    Interface interface;
    if (!text) interface = interface_of(*table, key, faults);
    const auto plain = text ? reader.parsed(key, *text, parse_interface_pattern) : std::nullopt;
    if (plain) interface.name = plain->value;
    const bool is_named = !interface.name.empty();  // else a fault was reported
    if (is_named) names.add(interface.name, text ? text->line : table->source().begin.line);
    all.push_back(std::move(interface));
  }
  return all;
}

std::optional<std::vector<std::string>> read_interface_names(Reader& reader, std::string_view key) {
  const auto written = reader.all_parsed(key, parse_interface_pattern);
  if (!written) return std::nullopt;
  std::vector<std::string> all;
  InterfaceNames names(reader, key);
  for (const auto& [name, line] : *written) {
    names.add(name, line);
    all.push_back(name);
  }
  return all;
}

}  // namespace routevpn::plan
