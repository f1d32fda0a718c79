#include "netns_file.hpp"

#include <algorithm>

#include "routevpn/base/address.hpp"
#include "routevpn/base/blanks.hpp"
#include "routevpn/base/text.hpp"

namespace routevpn::apply {

namespace {

class NamespaceReader {
 public:
  explicit NamespaceReader(bool is_public) : is_public_(is_public) {}

  // Empty: no fault.
  std::string read(std::string_view line) {
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) return {};
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return "must be 'interface = NAME' or 'address = PREFIX'";
    const std::string name(trimmed(line.substr(0, equals)));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (name != "interface" && name != "address") {
      return name + ": unknown; allowed are interface and address";
    }
    const auto rule = name == "interface" ? read_interface(value) : read_address(value);
    return rule.empty() ? "" : name + " = " + value + ": " + rule;
  }

  std::vector<std::string> interfaces;

 private:
  std::string read_interface(const std::string& value) {
    // The quotes of a link's file are none here.
    if (!is_interface_name(value)) return std::string("must be ").append(interface_name_rule);
    if (value == "lo" && !is_public_) return "cannot be moved; each namespace has its own";
    interfaces.push_back(value);
    return {};
  }

  [[nodiscard]] std::string read_address(const std::string& value) const {
    if (value.find('/') == std::string::npos || !IpPrefix::parse(value)) {
      return "must be ADDRESS/LENGTH";
    }
    return interfaces.empty() ? "must stand behind its interface" : "";
  }

  bool is_public_;
};

}  // namespace

std::vector<std::string> interfaces_of_namespace(std::string_view text, const std::string& path,
                                                 std::string_view name,
                                                 std::vector<std::string>& faults) {
  NamespaceReader reader(name == "public");
  for (unsigned number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto fault = reader.read(text.substr(0, end));
    if (!fault.empty()) {
      faults.push_back(path);
      faults.back().append(":").append(std::to_string(number)).append(": ").append(fault);
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return std::move(reader.interfaces);
}

}  // namespace routevpn::apply
