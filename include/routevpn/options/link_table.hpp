// The options of a link, and what they say together.
#pragma once

#include <cstdint>
#include <string>

#include "routevpn/options/option_table.hpp"

namespace routevpn::options {

// What the options say one by one. client, server, host and port are how the first
// proof-of-concept says peer and listen.
struct LinkDraft {
  LinkOptions options;
  bool client = false;
  bool server = false;
  std::string host;  // empty: none
  std::uint16_t port = default_port;
};

OptionTable link_table(LinkDraft& draft);

// A configuration file that means the same, with every option that has a value.
std::string to_config(const LinkOptions& options);

}  // namespace routevpn::options
