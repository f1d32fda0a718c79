// The descriptors that systemd keeps for a service while it restarts: sd_pid_notify_with_fds(3) and
// sd_listen_fds(3), without a dependency on libsystemd.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

// `name`: without control characters and ':'. False: the service manager did not get it.
bool store_descriptor(const std::string& name, int fd);
// Waits for room in the service manager's queue: a descriptor that stays would be one too many
// later.
void remove_stored_descriptor(const std::string& name);
// Waits until the service manager has handled all notifications before. False: it has not in time.
bool wait_for_service_manager(std::chrono::milliseconds at_most);

struct StoredDescriptor {
  std::string name;
  Fd fd;
};
// What the service manager has kept, closed on exec. Only the first call returns any.
std::vector<StoredDescriptor> take_stored_descriptors();

// Whether a job of the service manager restarts this unit at the moment: asks systemctl of PATH. An
// error means no.
bool is_restarting(const std::string& unit, std::chrono::milliseconds at_most);

}  // namespace routevpn::host
