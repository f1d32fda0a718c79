#include "routevpn/options/settings.hpp"

#include <sstream>

#include <boost/program_options.hpp>

namespace routevpn::options {

namespace {

namespace po = boost::program_options;

constexpr unsigned line_columns = 100;  // of --help

// Hands values to a row of the table.
class RowSemantic : public po::value_semantic {
 public:
  explicit RowSemantic(const Option& option) : option_(option) {}

  [[nodiscard]] std::string name() const override { return std::string(option_.placeholder); }
  [[nodiscard]] unsigned min_tokens() const override { return max_tokens(); }
  [[nodiscard]] unsigned max_tokens() const override {
    return option_.value.kind == Value::Kind::flag ? 0 : 1;
  }
  // Lets po::store() add a second value, about which parse() decides.
  [[nodiscard]] bool is_composing() const override { return true; }
  [[nodiscard]] bool is_required() const override { return false; }
  bool apply_default(boost::any&) const override { return false; }
  void notify(const boost::any&) const override {}

  void parse(boost::any& stored, const std::vector<std::string>& tokens, bool) const override {
    const bool again = !stored.empty() && !tokens.empty();
    if (again && option_.value.kind != Value::Kind::repeatable) throw po::multiple_occurrences();
    stored = true;
    option_.value.set(tokens.empty() ? "yes" : tokens.front());
  }

 private:
  const Option& option_;
};

std::string help_line(const Option& option) {
  std::string text(option.help);
  const bool shows_words = option.placeholder.find('|') != std::string_view::npos;
  if (!option.value.words.empty() && !shows_words) {
    text += ": " + enumerated(option.value.words, "or");
  }
  if (!option.value.initial.empty()) text += " (" + option.value.initial + ")";
  return text;
}

po::options_description describe(const OptionTable& table) {
  po::options_description all(line_columns);
  for (auto option = table.begin(); option != table.end();) {
    const auto caption = option->group;
    po::options_description group(std::string(caption), line_columns);
    for (; option != table.end() && option->group == caption; ++option) {
      std::string names(option->name);
      if (option->letter != no_letter) names.append(",").append(1, option->letter);
      group.add_options()(names.c_str(), new RowSemantic(*option), help_line(*option).c_str());
    }
    all.add(group);
  }
  return all;
}

// The options of the first argument. The parser stops at its first fault; to find every fault, it
// gets one argument, and the next one too if that is the value. Removes what it has parsed.
std::vector<po::option> parse_first(const po::options_description& description,
                                    std::span<const std::string>& arguments) {
  const auto take = [&](std::size_t count) {
    const auto taken = arguments.first(count);
    auto parsed = po::command_line_parser({taken.begin(), taken.end()})
                      .options(description)
                      .allow_unregistered()
                      .run();
    arguments = arguments.subspan(count);
    return std::move(parsed.options);
  };
  if (arguments.front() == "--") return take(arguments.size());
  try {
    return take(1);
  } catch (const po::invalid_command_line_syntax& error) {
    const bool wants_value = error.kind() == po::invalid_syntax::missing_parameter;
    if (!wants_value || arguments.size() < 2) throw;
  }
  return take(2);
}

std::string needs_value(const Option* option) {
  if (option == nullptr) return " needs a value";
  const bool flag = option->value.kind == Value::Kind::flag;
  return " needs a value: " + (flag ? "yes or no" : std::string(option->placeholder));
}

Setting fault_of(const OptionTable& table, const po::invalid_syntax& error) {
  // "--mtu", also for an abbreviation. Boost 1.83 gives none for "--=".
  const std::string given = error.get_option_name();
  const std::string label = given.starts_with("--") ? given : "--";
  Setting setting{label.substr(2), std::nullopt};
  const bool extra = error.kind() == po::invalid_syntax::extra_parameter;
  setting.fault = label + (extra ? " takes no value" : needs_value(find(table, setting.name)));
  return setting;
}

Setting fault_of(const po::ambiguous_option& error, const std::string& argument) {
  std::string candidates;
  for (const auto& name : error.alternatives()) {
    candidates += (candidates.empty() ? "--" : ", --") + name;
  }
  return {"", std::nullopt, "", 0,
          argument.substr(0, argument.find('=')) + " may mean " + candidates};
}

class Store {
 public:
  explicit Store(const OptionTable& table) : table_(table), description_(describe(table)) {}

  void put(const Setting& setting) {
    const auto* const option = find(table_, setting.name);
    auto refusal = refusal_of(setting, option);
    if (refusal.empty()) refusal = pass_to_boost(setting);
    if (!refusal.empty()) reading_.faults.push_back(refusal);
    if (option == nullptr) {
      reading_.misread = true;
    } else if (setting.file.empty() || !option->command_line_only) {
      reading_.given.emplace(setting.name, setting);
    }
  }

  Reading reading_;

 private:
  // What the parser of the source has found, and what Boost does not refuse: in a file, it would
  // take "-a" for --address and pass over a setting without a name.
  [[nodiscard]] std::string refusal_of(const Setting& setting, const Option* option) const {
    if (!setting.fault.empty()) return setting.fault;
    if (option == nullptr) return unknown(setting);
    if (setting.file.empty()) return {};
    if (option->command_line_only) return setting.label() + " belongs on the command line";
    if (setting.value->empty()) return setting.label() + needs_value(option);
    return {};
  }

  std::string pass_to_boost(const Setting& setting) {
    po::parsed_options one(&description_);
    one.options.emplace_back(setting.name, std::vector<std::string>());
    if (setting.value) one.options.back().value.push_back(*setting.value);
    try {
      po::store(one, variables_);
    } catch (const po::multiple_occurrences&) {
      if (setting.file.empty()) return setting.label() + " is given more than once";
      const auto first = reading_.given.find(setting.name)->second.line;
      return setting.label() + " is set already in line " + std::to_string(first);
    } catch (const UsageError& error) {
      return setting.written() + ": " + error.what();
    }
    return {};
  }

  [[nodiscard]] std::string unknown(const Setting& setting) const {
    std::vector<std::string> known;
    for (const auto& option : table_) known.emplace_back(option.name);
    const bool is_letter = setting.name.starts_with('-');
    const std::string prefix = setting.file.empty() && !is_letter ? "--" : "";
    const std::string name = prefix + setting.name;
    return setting.place() + "unknown option " + (setting.file.empty() ? name : "'" + name + "'") +
           (is_letter ? "" : suggestion(setting.name, known, prefix));
  }

  const OptionTable& table_;
  po::options_description description_;
  po::variables_map variables_;
};

}  // namespace

std::string Setting::place() const {
  return file.empty() ? "" : file + ":" + std::to_string(line) + ": ";
}

std::string Setting::label() const {
  return file.empty() ? "--" + name : place() + name;
}

std::string Setting::written() const {
  return value ? label() + (file.empty() ? " " : " = ") + *value : label();
}

Settings parse_arguments(const OptionTable& table, std::span<const std::string> arguments) {
  const auto description = describe(table);
  Settings result;
  while (!arguments.empty()) {
    try {
      for (const auto& option : parse_first(description, arguments)) {
        if (option.string_key.empty()) {
          result.operands.push_back(option.value.front());
        } else {
          result.settings.push_back({option.string_key, std::nullopt});
          if (!option.value.empty()) result.settings.back().value = option.value.front();
        }
      }
      continue;
    } catch (const po::ambiguous_option& error) {
      result.settings.push_back(fault_of(error, arguments.front()));
    } catch (const po::invalid_syntax& error) {
      result.settings.push_back(fault_of(table, error));
    }
    arguments = arguments.subspan(1);
  }
  return result;
}

void Reading::report_missing(std::string fault) {
  if (!misread) faults.push_back(std::move(fault));
}

void Reading::refuse_operands(std::size_t first) {
  if (!faults.empty()) return;
  for (std::size_t i = first; i < operands.size(); ++i) {
    faults.push_back("unexpected argument '" + operands[i] + "'");
  }
}

Reading store(const OptionTable& table, const Settings& arguments, const Settings& file) {
  Store store(table);
  for (const auto& setting : arguments.settings) store.put(setting);
  const auto given = store.reading_.given;
  for (const auto& setting : file.settings) {
    const auto* const option = find(table, setting.name);
    const bool is_replaced = given.contains(setting.name) && !option->command_line_only;
    if (!is_replaced) store.put(setting);
  }
  store.reading_.operands = arguments.operands;
  return std::move(store.reading_);
}

std::string help_text(const OptionTable& table) {
  std::ostringstream text;
  text << describe(table);
  return text.str();
}

}  // namespace routevpn::options
