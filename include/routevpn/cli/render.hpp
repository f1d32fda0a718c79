// The text of `routevpn show`, from the objects the links' control sockets give: a pure function.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "routevpn/pki/time.hpp"

namespace routevpn::cli {

// One link. Every member may be missing, null or of another type: what it would say is then left
// out.
std::string render(const nlohmann::json& link, pki::TimePoint now, bool colour);

}  // namespace routevpn::cli
