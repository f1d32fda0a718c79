#include "routevpn/host/capabilities.hpp"

#include <array>
#include <cstdlib>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::host {

namespace {

using Halves = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr std::uint64_t bit(unsigned capability) {
  return std::uint64_t{1} << capability;
}

constexpr std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32 | low;
}

// `half` 0 holds capabilities 0 to 31, `half` 1 the others.
constexpr std::uint32_t half_of(std::uint64_t set, unsigned half) {
  return static_cast<std::uint32_t>(set >> (32 * half));
}

}  // namespace

Capabilities Capabilities::current() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Halves halves{};
  if (syscall(SYS_capget, &header, halves.data()) != 0) throw system_error("capget");
  return {join(halves[0].effective, halves[1].effective),
          join(halves[0].permitted, halves[1].permitted),
          join(halves[0].inheritable, halves[1].inheritable)};
}

void Capabilities::apply() const {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  Halves halves{};
  for (unsigned half = 0; half < halves.size(); ++half) {
    halves.at(half) = {half_of(effective, half), half_of(permitted, half),
                       half_of(inheritable, half)};
  }
  if (syscall(SYS_capset, &header, halves.data()) != 0) throw system_error("capset");
}

void keep_capabilities(std::span<const unsigned> kept) {
  std::uint64_t wanted = 0;
  for (const unsigned capability : kept) wanted |= bit(capability);
  auto all = Capabilities::current();
  all.permitted &= wanted;
  all.effective &= wanted & ~bit(CAP_SYS_ADMIN);
  all.apply();
}

Raised::Raised(unsigned capability)
    : before_(Capabilities::current()),
      raised_((before_.permitted & ~before_.effective & bit(capability)) != 0) {
  if (!raised_) return;
  Capabilities more = before_;
  more.effective |= bit(capability);
  more.apply();
}

Raised::~Raised() {
  if (!raised_) return;
  try {
    before_.apply();
  } catch (const SystemError& error) {
    log_error(error.what());
    std::_Exit(static_cast<int>(Exit::failed));
  }
}

}  // namespace routevpn::host
