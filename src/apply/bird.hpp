// What birdc(8) prints.
#pragma once

#include <string>
#include <string_view>

#include "routevpn/host/program.hpp"

namespace routevpn::apply {

// Of `birdc configure`. Its exit status alone does not tell: BIRD 2.0 has 0 for a syntax error.
bool has_reconfigured(const host::ProgramEnd& birdc);
// Of `birdc show protocols`: whether this BGP protocol is established.
bool is_established(std::string_view protocols, std::string_view session);

}  // namespace routevpn::apply
