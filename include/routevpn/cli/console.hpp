// Where a command writes. Tests read it.
#pragma once

#include <ostream>
#include <span>
#include <string>

namespace routevpn::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;  // `out` is a terminal with colours, and NO_COLOR is not set (no-color.org)
  bool terminal = false;  // `out` is a terminal
  bool err_terminal = false;

  static Console standard();
  // Writes "routevpn: PREFIX TEXT" to `err`, one line each, without control characters.
  void report(std::span<const std::string> texts, const std::string& prefix = "") const;
  void report(const std::string& text) const { report(std::span(&text, 1)); }
};

// Whether a terminal shows colours, by the environment variables NO_COLOR and TERM.
bool shows_colour(const char* no_color, const char* term);

}  // namespace routevpn::cli
