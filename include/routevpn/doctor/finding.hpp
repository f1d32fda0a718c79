// What `routevpn doctor` found.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace routevpn::doctor {

enum class Severity : std::uint8_t {
  fault,  // exit status 1
  note,   // works, but could be faster
};

struct Finding {
  std::string check;  // a fixed word for machines: forwarding, firewall, ...
  std::string where;  // the link, the namespace or the file
  std::string what;
  std::string why;   // why it matters
  std::string mend;  // the command that mends it
  Severity severity = Severity::fault;
};

using Findings = std::vector<Finding>;

// For people: three lines per finding. Without control characters.
std::string to_text(const Findings& findings);
nlohmann::ordered_json to_json(const Findings& findings);
[[nodiscard]] bool has_fault(const Findings& findings);

}  // namespace routevpn::doctor
