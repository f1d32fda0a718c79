#include "routevpn/base/clock.hpp"

#include <ctime>

namespace routevpn {

Time read_clock() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Time(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec));
}

}  // namespace routevpn
