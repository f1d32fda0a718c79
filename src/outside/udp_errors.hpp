// The errors of earlier datagrams that wait on a UDP socket.
#pragma once

#include <ctime>  // linux/errqueue.h lacks it
#include <optional>

#include <linux/errqueue.h>

#include "routevpn/base/address.hpp"

namespace routevpn::outside {

// Whether a system call may return this error for an earlier datagram, after an ICMP message
// (Linux: icmp_err_convert) or a signal. The call itself then has not failed and can be made again.
bool is_earlier_error(int error);

struct QueuedError {
  sock_extended_err what;
  SocketAddress to;                   // the destination of the datagram
  std::optional<IpAddress> reporter;  // the sender of the ICMP error; none: the error is local
};

// Takes one error off the socket's queue. None when the queue is empty.
std::optional<QueuedError> take_error(int socket);

}  // namespace routevpn::outside
