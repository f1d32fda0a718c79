// The command line of `impair`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

#include "impair/schedule.hpp"

namespace routevpn::test {

std::string impair_help();

struct ImpairOptions {
  SocketAddress listen;
  SocketAddress target;
  std::optional<IpAddress> source;  // none: the kernel's choice
  std::string control;              // path of the control socket; empty: none
  std::uint64_t seed = 1;
  Impairments up, down;  // from the client to the target; from the target to the client
};

// Throws UsageError.
ImpairOptions parse_impair_options(const std::vector<std::string>& arguments);

}  // namespace routevpn::test
