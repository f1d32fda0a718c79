// What `routevpn apply` has done on this machine: /var/lib/routevpn/applied.
//
//   gateway V1-1
//   file SHA256 /etc/routevpn/rv2-1.conf
//   unit routevpn@rv2-1.service SETTINGS FILES
//
// During a run a file has two lines: the content that apply wrote before and the content that it
// is about to write. A unit has the hashes with which apply last started, restarted or reloaded it,
// or '-' where a step is still to be done. So the next run continues after a fault.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace routevpn::apply {

std::string hash_of(std::string_view content);  // SHA-256 in hexadecimal

// Hashes of what a running unit uses.
struct InForce {
  std::string settings;  // a change needs a restart; empty: not known
  std::string files;     // a change needs a reload; empty: not known
  bool operator==(const InForce&) const = default;
};

struct Manifest {
  std::string gateway;                                 // empty: apply never ran
  std::map<std::string, std::set<std::string>> files;  // path: hashes that apply wrote
  std::map<std::string, InForce> units;                // those that apply has enabled
  bool operator==(const Manifest&) const = default;
};

// Throws UsageError "PATH:LINE: ...".
Manifest parse_manifest(std::string_view text, const std::string& path);
std::string to_text(const Manifest& manifest);

}  // namespace routevpn::apply
