// The rules between the options of a link.
#pragma once

#include <string>
#include <vector>

#include "routevpn/options/link_table.hpp"
#include "routevpn/options/settings.hpp"

namespace routevpn::options {

// Replaces client and server by what they stand for, and checks the options together. Adds to
// reading.faults and returns warnings, one line each. An option whose value was refused counts as
// given, so that one mistake is one fault.
std::vector<std::string> complete_link(LinkDraft& draft, Reading& reading);

}  // namespace routevpn::options
