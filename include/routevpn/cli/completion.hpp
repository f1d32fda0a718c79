// `routevpn completion`: scripts that complete routevpn's command line, from the table of verbs.
#pragma once

#include <cstdint>
#include <string>

#include "routevpn/options/values.hpp"

namespace routevpn::cli {

enum class Shell : std::uint8_t { bash, zsh, fish };

options::Format<Shell> shell_format();
std::string completion_script(Shell shell);

}  // namespace routevpn::cli
