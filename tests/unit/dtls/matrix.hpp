// The negative matrix: what our end does when the scripted peer deviates.
#pragma once

#include <string>
#include <vector>

#include "duel.hpp"
#include "scripted/deviations.hpp"

namespace routevpn::test {

enum class Ending : std::uint8_t {
  refused,       // the handshake fails at once
  times_out,     // what arrived was dropped, and the time limit ends the handshake
  no_handshake,  // the acceptor made no handshake of it
  completes,     // the deviation is allowed, or only a dropped record had it
};

// Words of rows.
inline constexpr auto counted_unexpected = "handshake_unexpected";
inline constexpr auto counted_malformed = "handshake_malformed";
inline constexpr auto length_mismatch = "length mismatch";

struct Row {
  std::string name;
  Ending ending = Ending::refused;
  // refused: in the text of the failure. times_out, completes: the counter of what was dropped;
  // empty: nothing need be dropped.
  std::string words;
  scripted::Deviation deviation = {};
  bool resends = false;  // the peer sends its last flight again, undisturbed
  Drop reason = Drop::handshake_failed;
};

// Checks the ending, and that a handshake that does not complete leaks nothing: no keys, no
// application data, a bounded output.
void check_row(dtls::Role ours, const Sides& sides, const Row& row);
void check_rows(dtls::Role ours, const std::vector<Row>& rows);  // with plain_sides()

}  // namespace routevpn::test
