#include "not_running.hpp"

#include <algorithm>
#include <filesystem>

#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

// A directory that is not there, or may not be read, has none.
std::vector<std::string> configured_links(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".conf" && entry.is_regular_file(error)) {
      names.push_back(entry.path().stem());
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> wanted_links(const ShowLinks& show) {
  if (!show.links.empty()) return show.links;
  auto names = link_names(show.run_dir);
  const bool of_this_machine = show.run_dir == ShowLinks::default_run_dir;
  if (show.config_dir || of_this_machine) {
    const auto configured =
        configured_links(show.config_dir.value_or(ShowLinks::default_config_dir));
    names.insert(names.end(), configured.begin(), configured.end());
  }
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  return names;
}

nlohmann::json not_running(const std::string& link) {
  return {{"link", link},
          {"state", "down"},
          {"reason", "not_running"},
          {"reason_text", "not running: systemctl status routevpn@" + link + ".service tells why"}};
}

}  // namespace routevpn::cli
