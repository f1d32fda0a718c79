#include <getopt.h>

#include "routevpn/cli/option_table.hpp"

namespace routevpn::cli {

namespace {

// getopt_long's own form of the table. Its values index the table, offset so that they are neither
// letters nor its error codes.
constexpr int first_index = 1000;

struct GetoptTable {
  std::string letters = ":";  // tells a missing argument from an unknown option
  std::vector<option> longs;

  explicit GetoptTable(const OptionTable& table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      const bool flag = table[i].kind == Option::Kind::flag;
      const int index = first_index + static_cast<int>(i);
      longs.push_back(
          {table[i].name.data(), flag ? no_argument : required_argument, nullptr, index});
      if (table[i].letter == '\0') continue;
      letters += table[i].letter;
      if (!flag) letters += ':';
    }
    longs.push_back({nullptr, 0, nullptr, 0});
  }
};

const Option* by_code(const OptionTable& table, int code) {
  if (code >= first_index) return &table[static_cast<std::size_t>(code - first_index)];
  for (const auto& option : table) {
    if (option.letter != '\0' && option.letter == code) return &option;
  }
  return nullptr;
}

// After getopt_long said '?': optopt is a letter, the index of a flag that was given a value, or 0.
std::string unknown_option(const OptionTable& table, const std::string& argument) {
  if (optopt >= first_index) {
    return "--" + std::string(by_code(table, optopt)->name) + " takes no value";
  }
  if (optopt != 0) return std::string("unknown option -") + static_cast<char>(optopt);
  const std::string name = argument.substr(2, argument.find('=') - 2);
  std::string candidates;
  for (const auto& option : table) {
    if (!name.empty() && option.name.starts_with(name)) {
      candidates += (candidates.empty() ? "--" : ", --") + std::string(option.name);
    }
  }
  if (!candidates.empty()) return "--" + name + " may mean " + candidates;
  return "unknown option --" + name + suggestion(name, names(table), "--");
}

}  // namespace

Scan scan_arguments(const OptionTable& table, std::span<const std::string> arguments) {
  const GetoptTable getopt_table(table);
  std::vector<std::string> copies(arguments.begin(), arguments.end());
  copies.insert(copies.begin(), "routevpn");
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (auto& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  const int argc = static_cast<int>(copies.size());

  Scan scan;
  opterr = 0;
  optind = 0;  // makes glibc's getopt start anew
  for (;;) {
    const int code = getopt_long(argc, argv.data(), getopt_table.letters.c_str(),
                                 getopt_table.longs.data(), nullptr);
    if (code == -1) break;
    if (code == '?') {
      scan.faults.push_back(unknown_option(table, argv[static_cast<std::size_t>(optind - 1)]));
      continue;
    }
    const Option* option = by_code(table, code == ':' ? optopt : code);
    const std::string label = "--" + std::string(option->name);
    if (code == ':') {
      scan.faults.push_back(label + " needs a value: " + std::string(option->argument));
      scan.given.emplace(option->name, label);
      continue;
    }
    const bool again = !scan.given.emplace(option->name, label).second;
    if (again && option->kind == Option::Kind::single) {
      scan.faults.push_back(label + " is given more than once");
      continue;
    }
    const bool flag = option->kind == Option::Kind::flag;
    std::string written = label;
    if (!flag) written.append(" ").append(optarg);
    scan.settings.push_back({std::string(option->name), flag ? "yes" : optarg, label, written});
  }
  for (int i = optind; i < argc; ++i) scan.operands.emplace_back(argv[static_cast<std::size_t>(i)]);
  return scan;
}

}  // namespace routevpn::cli
