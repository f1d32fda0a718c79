#include "landlock.hpp"

#include <cstdint>

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::cage {

namespace {

// struct landlock_ruleset_attr of ABI version 6. Debian 12's headers end at version 2, and its
// users' kernels may be newer. An older kernel accepts the longer structure if the rest is 0.
struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

// `count` lowest bits.
constexpr std::uint64_t rights(unsigned count) {
  return (std::uint64_t{1} << count) - 1;
}

// Every right that the ABI version can remove, Documentation/userspace-api/landlock.rst.
Ruleset all_rights(long abi) {
  Ruleset all;
  all.files = rights(abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13);
  if (abi >= 4) all.network = rights(2);  // TCP: bind, connect
  if (abi >= 6) all.scoped = rights(2);   // to other processes: abstract UNIX sockets, signals
  return all;
}

// All of files except these, and signals.
Ruleset rights_to_change(long abi) {
  constexpr std::uint64_t to_read =
      LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  constexpr std::uint64_t device_control = std::uint64_t{1} << 15U;  // ABI version 5
  constexpr std::uint64_t signals = std::uint64_t{1} << 1U;          // ABI version 6
  Ruleset some = all_rights(abi);
  some.files &= ~(to_read | device_control);
  some.network = 0;
  some.scoped &= signals;
  return some;
}

}  // namespace

void drop_landlock_rights(LandlockRights rights) {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return;  // ENOSYS: not built in; EOPNOTSUPP: not enabled at boot
  const Ruleset handled = rights == LandlockRights::all ? all_rights(abi) : rights_to_change(abi);
  const Fd rules(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
  if (!rules || syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
    throw system_error("removing rights by Landlock");
  }
}

}  // namespace routevpn::cage
