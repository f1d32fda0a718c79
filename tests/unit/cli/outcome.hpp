// What a command prints, and its exit status.
#pragma once

#include <sstream>
#include <string>

#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

// command(Console): its exit status.
template <typename Command>
Outcome outcome_of(const Command& command) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = command(Console{out, err});
  return {status, out.str(), err.str()};
}

}  // namespace routevpn::cli
