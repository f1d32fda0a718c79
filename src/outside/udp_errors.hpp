// The errors of earlier datagrams that wait on a UDP socket.
#pragma once

namespace routevpn::outside {

// Whether a system call may return this error for an earlier datagram, after an ICMP message
// (Linux: icmp_err_convert) or a signal. The call itself then has not failed and can be made again.
bool is_earlier_error(int error);

}  // namespace routevpn::outside
