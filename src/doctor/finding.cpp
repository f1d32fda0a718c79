#include "routevpn/doctor/finding.hpp"

#include <algorithm>

#include "routevpn/base/text.hpp"

namespace routevpn::doctor {

std::string to_text(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings) {
    text += printable(finding.where) + ": ";
    if (finding.severity == Severity::note) text += "note: ";
    text += printable(finding.what) + "\n  why:  " + printable(finding.why);
    text += "\n  mend: " + printable(finding.mend) + "\n";
  }
  return text;
}

nlohmann::ordered_json to_json(const Findings& findings) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& finding : findings) {
    all.push_back({{"check", finding.check},
                   {"severity", finding.severity == Severity::fault ? "fault" : "note"},
                   {"where", finding.where},
                   {"what", finding.what},
                   {"why", finding.why},
                   {"mend", finding.mend}});
  }
  return all;
}

bool has_fault(const Findings& findings) {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::fault; });
}

}  // namespace routevpn::doctor
