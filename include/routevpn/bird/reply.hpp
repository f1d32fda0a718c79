// BIRD's control socket: what to send, and the reply. Pure.
//
// A reply consists of lines "CODE-TEXT", " TEXT" with the code of the line before, and a last line
// "CODE TEXT". The codes 1000 to 2999 carry data, those from 8000 on are errors, and 0000 ends a
// command that succeeded (BIRD's doc/reply_codes).
#pragma once

#include <string>
#include <string_view>

namespace routevpn::bird {

// The text to send for one command. It restricts the session to reading first, as `birdc -r` does.
std::string request(std::string_view command);

// Whether what has arrived has the last line of the reply to request().
bool is_complete(std::string_view received);

struct Reply {
  std::string text;   // of the data lines, as birdc prints them
  std::string error;  // BIRD's message; empty: the command succeeded
};

Reply read_reply(std::string_view received);

}  // namespace routevpn::bird
