// The options of a link, from the command line and the configuration file that it names.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "routevpn/options/link_options.hpp"

namespace routevpn::options {

struct ParsedLink {
  enum class Request : std::uint8_t { link, help, version };
  Request request = Request::link;
  LinkOptions options;                // with faults: only what was accepted
  std::vector<std::string> faults;    // one line each
  std::vector<std::string> warnings;  // one line each
  bool file_was_read = true;          // or there is none
};

ParsedLink parse_link(std::span<const std::string> arguments);

}  // namespace routevpn::options
