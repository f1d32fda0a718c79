// A source of its own, because the test program caged links main.cpp with another worker.
#include "worker_main.hpp"

#include "routevpn/link/worker.hpp"

namespace routevpn {

int worker_main() {
  return link::run_worker();
}

}  // namespace routevpn
