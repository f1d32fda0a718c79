// Options as a command line and a configuration file write them, and their way into a table.
// Boost.Program_options decides about names, abbreviations, repetition and missing values.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routevpn/options/option_table.hpp"

namespace routevpn::options {

struct Setting {
  std::string name;                  // empty: not understood; an unknown letter keeps its '-'
  std::optional<std::string> value;  // none: a flag of the command line
  std::string file = {};             // empty: the command line
  unsigned line = 0;                 // of the file, from 1
  std::string fault = {};            // if not empty: why this cannot be a setting

  [[nodiscard]] std::string place() const;    // "/etc/routevpn/a.conf:3: ", "" on the command line
  [[nodiscard]] std::string label() const;    // "/etc/routevpn/a.conf:3: mtu", "--mtu"
  [[nodiscard]] std::string written() const;  // "/etc/routevpn/a.conf:3: mtu = 70", "--mtu 70"
};

struct Settings {
  std::vector<Setting> settings;
  std::vector<std::string> operands;  // arguments that belong to no option
};

// `arguments` do not include the names of the program and the command. A long name may be
// abbreviated to a unique prefix.
Settings parse_arguments(const OptionTable& table, std::span<const std::string> arguments);

struct Reading {
  std::map<std::string, Setting, std::less<>> given;  // by name; also those with a refused value
  std::vector<std::string> operands;
  std::vector<std::string> faults;  // one line each, in the order of the settings
  bool misread = false;             // a name is unknown, so an option may only seem to be missing

  [[nodiscard]] bool has(std::string_view name) const { return given.contains(name); }
  // Reports that something is missing, unless it may be what was misread.
  void report_missing(std::string fault);
  // Reports operands from `first` on. The value of an unknown option looks like an operand, so
  // with another fault there is no report.
  void refuse_operands(std::size_t first = 0);
};

// Sets the variables of the table. An option on the command line replaces the option in the file,
// with all its values.
Reading store(const OptionTable& table, const Settings& arguments, const Settings& file = {});

// The lines of --help.
std::string help_text(const OptionTable& table);

}  // namespace routevpn::options
