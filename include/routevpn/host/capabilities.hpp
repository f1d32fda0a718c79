// The capabilities of the calling thread, by capget(2) and capset(2), see capabilities(7).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

namespace routevpn::host {

struct Capabilities {
  std::uint64_t effective = 0;  // bit i: capability i of linux/capability.h
  std::uint64_t permitted = 0;
  std::uint64_t inheritable = 0;

  static Capabilities current();
  void apply() const;  // throws SystemError
};

// Removes all capabilities except these from the permitted and the effective set. CAP_SYS_ADMIN
// leaves the effective set in every case: Raised restores it while it is needed. A thread without
// capabilities stays so. A program that root executes has all capabilities of the bounding set
// again, except under no_new_privs. Throws SystemError.
void keep_capabilities(std::span<const unsigned> kept);
inline void keep_capabilities(std::initializer_list<unsigned> kept) {
  keep_capabilities(std::span(kept.begin(), kept.size()));
}

// A permitted capability is effective while the object exists. Does nothing if the capability is
// effective already or is not permitted.
class Raised {
 public:
  explicit Raised(unsigned capability);  // throws SystemError
  Raised(const Raised&) = delete;
  Raised& operator=(const Raised&) = delete;
  ~Raised();  // ends the process if the kernel refuses to remove the capability

 private:
  Capabilities before_;
  bool raised_;
};

}  // namespace routevpn::host
