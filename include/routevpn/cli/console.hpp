// Where a command writes, so that tests can read it.
#pragma once

#include <ostream>
#include <span>
#include <string>

namespace routevpn::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool colour = false;    // `out` is a terminal and NO_COLOR is not set (no-color.org)
  bool terminal = false;  // `out` is a terminal

  static Console standard();
  // "routevpn: TEXT" on `err`, one line each.
  void complain(std::span<const std::string> texts) const;
};

}  // namespace routevpn::cli
