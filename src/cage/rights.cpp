#include "routevpn/cage/rights.hpp"

#include <array>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace routevpn::cage {

namespace {

// The kernel has fewer: PR_CAPBSET_READ fails beyond the kernel's last capability.
constexpr unsigned long capability_bits = 64;

}  // namespace

bool drop_bounding_set() {
  for (unsigned long capability = 0; capability < capability_bits; ++capability) {
    const int in_set = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (in_set < 0) break;
    if (in_set != 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return false;
  }
  return true;
}

bool drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
         syscall(SYS_capset, &header, none.data()) == 0;
}

bool limit_to_zero(decltype(RLIMIT_CORE) resource) {
  const rlimit none{0, 0};
  return setrlimit(resource, &none) == 0;
}

}  // namespace routevpn::cage
