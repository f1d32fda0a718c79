// Impairments as text: on the command line of `impair` and in what it is told while it runs.
#pragma once

#include <string>
#include <string_view>

#include "impair/schedule.hpp"

namespace routevpn::test {

// For the help texts: one line per setting.
extern const char* const settings_help;

// Headers of IP and UDP around a payload.
constexpr std::size_t headers_bytes(bool v4) {
  return (v4 ? 20 : 40) + 8;
}

// NAME VALUE into `impairments`; `mtu` counts headers of this family. Throws UsageError.
void apply_setting(Impairments& impairments, std::string_view name, std::string_view value,
                   bool v4);

}  // namespace routevpn::test
