// Helpers of the tests that parse command lines.
#pragma once

#include <variant>

#include "routevpn/cli/command_line.hpp"

#include "unit/options/parsing.hpp"

namespace routevpn::cli {

using options::Lines, options::ScratchDirectory;

inline CommandLine parse_words(const std::string& words) {
  return parse_command_line(options::words_of(words));
}

}  // namespace routevpn::cli
