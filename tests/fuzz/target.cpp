#include "target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  routevpn::fuzz::run_target(routevpn::fuzz::Input({data, size}));
  return 0;
}
