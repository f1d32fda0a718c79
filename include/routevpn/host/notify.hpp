// The datagram protocol of sd_notify(3), without a dependency on libsystemd.
#pragma once

#include <string_view>

namespace routevpn::host {

// `state`: "READY=1", "STATUS=...", "WATCHDOG=1" or "STOPPING=1"; several are separated by
// newlines. Does nothing without NOTIFY_SOCKET.
void notify(std::string_view state);

}  // namespace routevpn::host
