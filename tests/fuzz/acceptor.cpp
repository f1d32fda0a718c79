// The whole acceptor under attack.
#include "link_script.hpp"

void routevpn::fuzz::run_target(Input input) {
  play(input, Victim::acceptor);
}
