#include "routevpn/base/directory.hpp"

#include <algorithm>
#include <filesystem>

#include "routevpn/base/error.hpp"

namespace routevpn {

std::vector<std::string> names_with_suffix(const std::string& directory, std::string_view suffix) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    auto name = entry.path().filename().string();
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
    name.resize(name.size() - suffix.size());
    names.push_back(std::move(name));
  }
  if (error && error.value() != ENOENT) throw system_error(directory, error.value());
  std::ranges::sort(names);
  return names;
}

}  // namespace routevpn
