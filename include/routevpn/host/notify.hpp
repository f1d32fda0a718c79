// The datagram protocol of sd_notify(3), without a dependency on libsystemd.
#pragma once

#include <string_view>

namespace routevpn::host {

// `state`: "READY=1", "STATUS=...", "WATCHDOG=1" or "STOPPING=1"; several are separated by
// newlines. Does nothing without NOTIFY_SOCKET.
void notify(std::string_view state);
// The service reads its files again, until the next READY=1.
void notify_reloading();
// With a descriptor, or -1 for none, for fd_store.hpp. Waits for room in the service manager's
// queue. False: there is no NOTIFY_SOCKET, or the notification could not be sent.
bool notify_with(std::string_view state, int fd);

}  // namespace routevpn::host
