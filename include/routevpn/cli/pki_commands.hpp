// `routevpn pki`: runs a command of the CA and prints what it did.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Returns the exit status; throws UsageError and SystemError.
int run_pki(const PkiCommand& command, const Console& console);

}  // namespace routevpn::cli
