// Landlock (Linux 5.13) as a second wall behind the empty root directory.
#pragma once

namespace routevpn::cage {

// Takes every right to files that the running kernel knows. Open descriptors are not affected.
// Needs no_new_privs. Does nothing if the kernel has no Landlock. Throws SystemError.
void take_file_rights();

}  // namespace routevpn::cage
