// The text of `routevpn show`, from the objects the links' control sockets give: a pure function.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "routevpn/pki/time.hpp"

namespace routevpn::cli {

// One link. Every member may be missing, null or of another type: what it would say is then left
// out.
std::string render(const nlohmann::json& link, pki::TimePoint now, bool colour);

// Why the link is in its state: the line for people, or else the word for machines.
std::string reason_of(const nlohmann::json& link);

}  // namespace routevpn::cli
