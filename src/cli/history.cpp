#include "history.hpp"

#include "members.hpp"

namespace routevpn::cli {

std::string render_history(const nlohmann::json& link) {
  constexpr std::size_t longest_state = std::string_view("connecting").size();
  std::string result = "link: " + text_in(link, "link") + "\n";
  const nlohmann::json& changes = member(link, "history");
  if (!changes.is_array()) return result;
  for (const auto& change : changes) {
    std::string state = text_in(change, "state");
    state.resize(std::max(state.size(), longest_state), ' ');
    result += "  ";
    result += text_in(change, "at");
    result += "  ";
    result += state;
    result += "  ";
    result += text_in(change, "text");
    result += '\n';
  }
  return result;
}

}  // namespace routevpn::cli
