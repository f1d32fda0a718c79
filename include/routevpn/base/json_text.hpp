// The two text forms that log lines and `show --json` share.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace routevpn {

std::string json_string(std::string_view text);                         // quoted, RFC 8259
std::string rfc3339(std::chrono::system_clock::time_point time_point);  // UTC, to the millisecond

}  // namespace routevpn
