// Impairments as text, on the command line of `impair` and in its commands.
#pragma once

#include <string>
#include <string_view>

#include "impair/schedule.hpp"

namespace routevpn::test {

// The settings for the help text, one per line.
extern const char* const settings_help;

// Bytes of the IP and UDP headers.
constexpr std::size_t headers_bytes(bool v4) {
  return (v4 ? 20 : 40) + 8;
}

// Sets one impairment. `mtu` includes the headers of this IP version. Throws UsageError.
void apply_setting(Impairments& impairments, std::string_view name, std::string_view value,
                   bool v4);

}  // namespace routevpn::test
