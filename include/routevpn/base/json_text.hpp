// Forms of text that people or programs read.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace routevpn {

// One line whatever it says, and nothing that a terminal obeys: control characters as \xNN.
std::string printable(std::string_view text);
std::string json_string(std::string_view text);                         // quoted, RFC 8259
std::string rfc3339(std::chrono::system_clock::time_point time_point);  // UTC, to the millisecond

}  // namespace routevpn
