// The text of `routevpn show --history`.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace routevpn::cli {

// The last changes of one link's state, the oldest first.
std::string render_history(const nlohmann::json& link);

}  // namespace routevpn::cli
