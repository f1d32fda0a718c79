// The allow-list of each thread role.
#pragma once

#include <vector>

#include <seccomp.h>

#include "routevpn/cage/system_calls.hpp"

namespace routevpn::cage {

struct AllowedCall {
  int number;                              // negative: this architecture does not have the call
  std::vector<scmp_arg_cmp> only_if = {};  // all must hold
};

// Several entries of a call allow each other's arguments, too. `only_if` of tgkill names the
// calling process.
std::vector<AllowedCall> allowed_calls(ThreadRole role, bool may_outlive);

}  // namespace routevpn::cage
