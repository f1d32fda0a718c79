#include "routevpn/cli/console.hpp"

#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "routevpn/base/text.hpp"

namespace routevpn::cli {

Console Console::standard() {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  const bool colour = terminal && (no_color == nullptr || *no_color == '\0');
  return {std::cout, std::cerr, colour, terminal};
}

void Console::complain(std::span<const std::string> texts) const {
  for (const auto& text : texts) err << "routevpn: " << printable(text) << "\n";
}

}  // namespace routevpn::cli
