#include "bird.hpp"

#include <sstream>

#include "routevpn/apply/directory.hpp"

namespace routevpn::apply {

std::string session_over(std::string_view bird, std::string_view ifname) {
  const auto wanted = std::string("interface \"").append(ifname).append("\";");
  std::istringstream in{std::string(bird)};
  std::string session;  // of the block that the line is in
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first == "protocol") {
      session.clear();
      if (second == "bgp") words >> session;
    } else if (!session.empty() && line.find(wanted) != std::string::npos) {
      return session;
    }
  }
  return {};
}

bool has_reconfigured(const host::ProgramEnd& birdc) {
  return birdc.status == 0 && birdc.out.find("Reconfigur") != std::string::npos;
}

bool is_established(std::string_view protocols, std::string_view session) {
  std::istringstream in{std::string(protocols)};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != session) continue;
    while (words >> word) {
      if (word == "Established") return true;
    }
  }
  return false;
}

}  // namespace routevpn::apply
