#include "not_running.hpp"

#include <algorithm>

#include "routevpn/base/directory.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

// A directory that may not be read has none.
std::vector<std::string> links_in(const std::string& config_dir) {
  try {
    return names_with_suffix(config_dir, ".conf");
  } catch (const SystemError&) {
    return {};
  }
}

}  // namespace

std::vector<std::string> wanted_links(const ShowLinks& show) {
  if (!show.links.empty()) return show.links;
  auto names = link_names(show.run_dir);
  const bool of_this_machine = show.run_dir == ShowLinks::default_run_dir;
  if (show.config_dir || of_this_machine) {
    const auto configured = links_in(show.config_dir.value_or(ShowLinks::default_config_dir));
    names.insert(names.end(), configured.begin(), configured.end());
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

nlohmann::json not_running(const std::string& link) {
  return {{"link", link},
          {"state", "down"},
          {"reason", "not_running"},
          {"reason_text", "not running: systemctl status routevpn@" + link + ".service tells why"}};
}

}  // namespace routevpn::cli
