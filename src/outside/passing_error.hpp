// What ICMP leaves on a socket for the next call to report: news of an earlier datagram, no failure
// of this one (Linux: icmp_err_convert).
#pragma once

#include <cerrno>

namespace routevpn::outside {

inline bool is_passing(int error) {
  switch (error) {
    case EMSGSIZE:
    case EACCES:
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EPROTO:
    case EINTR:
      return true;
    default:
      return false;
  }
}

}  // namespace routevpn::outside
