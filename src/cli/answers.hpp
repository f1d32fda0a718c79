// The answers of the links that `routevpn show` asks.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/cli/command_line.hpp"

namespace routevpn::cli {

struct Answers {
  nlohmann::json links = nlohmann::json::array();
  std::vector<std::string> faults;  // of links that did not answer
};

// Throws SystemError when the directory of the sockets cannot be read.
Answers collect(const ShowLinks& show);

}  // namespace routevpn::cli
