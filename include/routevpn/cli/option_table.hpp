// One table of options feeds the command line, the configuration file and --help; the tests hold
// the man page and the shell completion to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace routevpn::cli {

struct Option {
  enum class Kind : std::uint8_t {
    flag,        // no argument on the command line; yes or no in a file
    single,      // at most once
    repeatable,  // once per value
  };

  Kind kind;
  std::string_view name;
  char letter;                // of the short form, '\0': none
  std::string_view argument;  // what --help calls its value, empty for a flag
  std::string_view help;
  // Throws UsageError saying what is allowed. A flag is set to "yes" or "no".
  std::function<void(const std::string&)> set;
  bool command_line_only = false;
};

using OptionTable = std::vector<Option>;
const Option* find(const OptionTable& table, std::string_view name);

// One option as it was written somewhere.
struct Setting {
  std::string name;
  std::string value;
  std::string label;    // "--mtu", "/etc/routevpn/a.conf:3: mtu": how a fault names the option
  std::string written;  // "--mtu 70", "/etc/routevpn/a.conf:3: mtu = 70"
};

// What was mentioned, well or badly: option name to label.
using Given = std::map<std::string, std::string, std::less<>>;

struct Scan {
  std::vector<Setting> settings;
  Given given;
  std::vector<std::string> operands;  // arguments that belong to no option
  std::vector<std::string> faults;    // one line each
};

// Options of a command line, without the program's name and the command. Long names may be cut
// short as long as they are unique.
Scan scan_arguments(const OptionTable& table, std::span<const std::string> arguments);
// The command line's settings replace all of the file's that have the same name; the faults of both
// remain.
Scan overlay(Scan file, const Scan& command_line);
// Calls the setters; what they refuse is added to the faults as "WRITTEN: must be ...".
void apply(const OptionTable& table, std::span<const Setting> settings,
           std::vector<std::string>& faults);

// "; did you mean --mtu?" for the known word nearest to this one, empty when none is near.
std::string suggestion(std::string_view word, std::span<const std::string_view> known,
                       std::string_view prefix);
std::vector<std::string_view> names(const OptionTable& table);

// The lines of --help, aligned.
std::string help_text(const OptionTable& table);

}  // namespace routevpn::cli
