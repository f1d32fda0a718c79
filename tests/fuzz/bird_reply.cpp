// BIRD's reply, from its lines to the sessions and the routes. Nothing in it makes the text longer
// than the reply.
#include "routevpn/bird/reply.hpp"
#include "routevpn/bird/routes.hpp"
#include "routevpn/bird/sessions.hpp"

#include "target.hpp"

namespace routevpn::fuzz {

void run_target(Input input) {
  const auto received = input.text();
  const bool complete = bird::is_complete(received);
  require(!complete || received.ends_with('\n'), "a reply is complete with the end of a line");
  const auto reply = bird::read_reply(received);
  require(reply.text.size() <= received.size() + 1, "the text is a part of the reply");
  for (const auto& session : bird::bgp_sessions(reply.text)) {
    require(!session.name.empty(), "a session has a name");
    require(session.name.find('\n') == std::string::npos, "a name is within its line");
  }
  for (const auto& route : bird::routes(reply.text)) {
    require(!route.table.empty(), "a route is in a table");
    require(route.network.find('\n') == std::string::npos, "a network is within its line");
  }
}

}  // namespace routevpn::fuzz
