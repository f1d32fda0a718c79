#include "routevpn/cli/console.hpp"

#include <cstdlib>
#include <iostream>
#include <string_view>

#include <unistd.h>

#include "routevpn/base/text.hpp"

namespace routevpn::cli {

bool shows_colour(const char* no_color, const char* term) {
  const bool refused = no_color != nullptr && *no_color != '\0';
  return !refused && (term == nullptr || std::string_view(term) != "dumb");
}

Console Console::standard() {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  const bool colour = terminal && shows_colour(std::getenv("NO_COLOR"), std::getenv("TERM"));
  return {std::cout, std::cerr, colour, terminal, isatty(STDERR_FILENO) == 1};
}

void Console::report(std::span<const std::string> texts, const std::string& prefix) const {
  for (const auto& text : texts) err << "routevpn: " << prefix << printable(text) << "\n";
}

}  // namespace routevpn::cli
