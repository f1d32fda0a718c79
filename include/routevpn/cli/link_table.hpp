// The options of a link, and the rules between them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/cli/option_table.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::cli {

using namespace options;

// What the options say one by one. client, server, host and port are the first proof-of-concept's
// way to say peer and listen.
struct LinkDraft {
  LinkOptions options;
  bool client = false;
  bool server = false;
  std::optional<std::string> host;
  std::optional<std::uint16_t> port;
  bool help = false;
  bool version = false;
};

// The setters write to the draft, which must outlive the table.
OptionTable link_table(LinkDraft& draft);

struct Ruling {
  std::vector<std::string> faults;    // one line each
  std::vector<std::string> warnings;  // one line each
};

// Expands client and server, and checks what the options say together. An option whose value was
// refused counts as given, so that one mistake is one fault.
Ruling settle(LinkDraft& draft, const Given& given);

}  // namespace routevpn::cli
