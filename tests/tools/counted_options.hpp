// The command line of `counted`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"

namespace routevpn::test {

extern const char* const counted_help;

struct CountedOptions {
  std::string from, to;
  std::optional<IpAddress> source;
  SocketAddress target;
  std::optional<SocketAddress> via;
  Duration interval = std::chrono::milliseconds(1);
  std::uint64_t burst = 0;  // datagrams; 0: no pause
  Duration pause = std::chrono::milliseconds(100);
  std::uint64_t count = 0;  // 0: until a signal
  unsigned flows = 1;
  std::size_t bytes = 64;
  int dscp = 0;
  Duration grace = std::chrono::seconds(1);
};

// Throws UsageError.
CountedOptions parse_counted_options(const std::vector<std::string>& arguments);

}  // namespace routevpn::test
