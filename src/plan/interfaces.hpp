// Reads the lists of interfaces of a topology file: `lan` and `underlay`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "reader.hpp"

namespace routevpn::plan {

// An interface is a name, or a table with a name and addresses. A name occurs once. Nothing if the
// key is absent.
std::optional<std::vector<Interface>> read_interfaces(Reader& reader, std::string_view key,
                                                      Faults& faults);
// A list of names, as site routers have it.
std::optional<std::vector<std::string>> read_interface_names(Reader& reader, std::string_view key);

}  // namespace routevpn::plan
