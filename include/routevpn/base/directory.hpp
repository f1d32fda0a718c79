// The files of a directory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace routevpn {

// The names of all files in the directory that end in `suffix`, without it, in alphabetical order.
// Empty without the directory. Throws SystemError when the directory cannot be read.
std::vector<std::string> names_with_suffix(const std::string& directory, std::string_view suffix);

}  // namespace routevpn
