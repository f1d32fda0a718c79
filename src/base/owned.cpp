#include "routevpn/base/owned.hpp"

#include <cerrno>

#include <unistd.h>

namespace routevpn {

void Fd::reset(int fd) {
  if (fd_ >= 0) {
    const int kept = errno;
    ::close(fd_);
    errno = kept;
  }
  fd_ = fd;
}

}  // namespace routevpn
