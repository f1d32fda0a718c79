// The sockets on which the exporter accepts connections.
#pragma once

#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::exporter {

// The sockets that the service manager passed (sd_listen_fds(3)); empty: none. Removes the
// variables of the environment. Throws UsageError when a descriptor is no listening stream socket.
std::vector<Fd> passed_sockets();

// Throws UsageError with exit status 1: the address may be there, or be free, later.
Fd listen_on(const SocketAddress& address);

}  // namespace routevpn::exporter
