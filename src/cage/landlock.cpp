#include "landlock.hpp"

#include <cstdint>

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::cage {

namespace {

// The rights to files that an ABI version of the kernel knows, Documentation/userspace-api/
// landlock.rst. Debian 12's headers end at version 2, its users' kernels may not.
std::uint64_t file_rights(long abi) {
  const unsigned rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
  return (std::uint64_t{1} << rights) - 1;
}

}  // namespace

void take_file_rights() {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return;  // ENOSYS: not built in; EOPNOTSUPP: not enabled at boot
  landlock_ruleset_attr handled{};
  handled.handled_access_fs = file_rights(abi);
  const Fd rules(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!rules || syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
    throw system_error("confining the worker: Landlock");
  }
}

}  // namespace routevpn::cage
