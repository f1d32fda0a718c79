// The CA's index. A readable one is written and read again. The text is also read as a serial
// number and as a name.
#include "routevpn/base/error.hpp"
#include "routevpn/pki/index.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  const auto ignore_faults = [&](auto read) {
    try {
      read(input.text());
    } catch (const UsageError&) {
    }
  };
  ignore_faults([](const std::string& text) { pki::require_name(text); });
  ignore_faults([](const std::string& text) { pki::parse_serial(text); });
  ignore_faults([](const std::string& text) {
    const auto index = pki::parse_index(text, "ca.index");
    require(pki::parse_index(pki::format_index(index), "") == index, "the written file is equal");
  });
}
