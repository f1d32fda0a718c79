// The table of a link's options.
#pragma once

#include <cstdint>
#include <string>

#include "routevpn/options/option_table.hpp"

namespace routevpn::options {

// The options one by one. client, server, host and port are the first proof-of-concept's form of
// peer and listen.
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
// The reverse, without the rules between options. Throws UsageErrors.
LinkOptions from_config(std::string_view text);

}  // namespace routevpn::options
