// Two whole sessions and lanes with OpenSSL inside, on the simulator's wire, and an attacker that
// the input drives. The attacker sends datagrams of its own, sends changed copies of observed
// datagrams, before or after these arrive, and cuts the wire.
#pragma once

#include "target.hpp"

namespace routevpn::fuzz {

enum class Victim : int { initiator = 0, acceptor = 1 };

// Plays the attacker's script against one end. Requires that the simulator's invariants hold, and
// that the link comes up within a minute after the attack.
void play(Input script, Victim victim);

}  // namespace routevpn::fuzz
