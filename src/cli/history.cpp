#include "history.hpp"

#include "members.hpp"

namespace routevpn::cli {

std::string render_history(const nlohmann::json& link) {
  constexpr std::size_t longest_state = std::string_view("connecting").size();
  std::string result = "link: " + text(link, "link") + "\n";
  const nlohmann::json& changes = member(link, "history");
  if (!changes.is_array()) return result;
  for (const auto& change : changes) {
    std::string state = text(change, "state");
    state.resize(std::max(state.size(), longest_state), ' ');
    result += "  ";
    result += text(change, "at");
    result += "  ";
    result += state;
    result += "  ";
    result += text(change, "text");
    result += '\n';
  }
  return result;
}

}  // namespace routevpn::cli
