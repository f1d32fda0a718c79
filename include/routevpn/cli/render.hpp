// The text of `routevpn show` from a link's status object.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "routevpn/pki/time.hpp"

namespace routevpn::cli {

// One link. A member that is missing, null or of another type is left out.
std::string render(const nlohmann::json& link, pki::TimePoint now, bool colour);

// The link's state; empty: none.
std::string state_of(const nlohmann::json& link);

// The reason of the link's state: the sentence, or the machine word if there is no sentence.
std::string reason_of(const nlohmann::json& link);

}  // namespace routevpn::cli
