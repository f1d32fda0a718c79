// sd_notify(3): the documented datagram protocol, without libsystemd and what it drags in.
#pragma once

#include <string_view>

namespace routevpn::host {

// "READY=1", "STATUS=...", "STOPPING=1", newline between several. Nothing happens without
// NOTIFY_SOCKET.
void notify(std::string_view state);

}  // namespace routevpn::host
