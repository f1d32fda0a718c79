// The errors of earlier datagrams that wait on a UDP socket.
#pragma once

#include <ctime>  // linux/errqueue.h lacks it
#include <optional>

#include <linux/errqueue.h>
#include <sys/socket.h>

namespace routevpn::outside {

// Whether a system call may return this error for an earlier datagram, after an ICMP message
// (Linux: icmp_err_convert) or a signal. The call itself then has not failed and can be made again.
bool is_earlier_error(int error);

// Takes one error off the socket's queue; `to` becomes the destination of its datagram. None when
// the queue is empty.
std::optional<sock_extended_err> take_error(int socket, sockaddr_storage& to);

}  // namespace routevpn::outside
