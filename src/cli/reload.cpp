#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/status_client.hpp"
#include "routevpn/host/command_socket.hpp"

namespace routevpn::cli {

namespace {

constexpr std::chrono::seconds reload_timeout{10};

// False: the link runs on with at least one old file, or is not running.
bool reload_link(const ReloadLinks& reload, const std::string& link, const Console& console) {
  try {
    const auto answer = host::send_command(reload.run_dir, link, "reload", reload_timeout);
    if (answer) {
      console.report(answer->lines, link + ": ");
      return answer->done;
    }
    console.report(link + ": not running, there is no link behind " + reload.run_dir + "/" + link +
                   ".ctl");
  } catch (const SystemError& error) {
    console.report(link + ": " + error.what());
  }
  return false;
}

}  // namespace

int run(const ReloadLinks& reload, const Console& console) {
  const auto links = reload.links.empty() ? link_names(reload.run_dir) : reload.links;
  if (links.empty()) console.report("no link is running in " + reload.run_dir);
  bool all = true;
  for (const auto& link : links) all = reload_link(reload, link, console) && all;
  return static_cast<int>(all ? Exit::stopped : Exit::failed);
}

}  // namespace routevpn::cli
