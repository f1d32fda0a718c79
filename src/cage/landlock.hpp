// Landlock (Linux 5.13): a second layer beside the empty root directory.
#pragma once

#include <cstdint>

namespace routevpn::cage {

enum class LandlockRights : std::uint8_t {
  all,        // also TCP, and abstract UNIX sockets of other processes
  to_change,  // files and directories; and to signal other processes
};

// Removes these rights, as far as the running kernel's Landlock can. Open files are not affected.
// Needs no_new_privs. Does nothing if the kernel has no Landlock. Throws SystemError.
void drop_landlock_rights(LandlockRights rights = LandlockRights::all);

}  // namespace routevpn::cage
