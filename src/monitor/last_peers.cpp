#include "routevpn/monitor/last_peers.hpp"

#include <sstream>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::monitor {

namespace {

constexpr std::string_view none = "-";

}  // namespace

LastPeers::LastPeers(const std::string& directory, const std::string& link, std::size_t lanes)
    : path_(directory + '/' + link + ".peers"), peers_(lanes) {
  try {
    if (exists(path_)) read();
  } catch (const std::exception& error) {
    log_warning("the peer's last address is ignored", {{"error", error.what()}});
  }
}

void LastPeers::read() {
  std::istringstream lines(read_file(path_));
  std::vector<std::optional<IpAddress>> found;
  for (std::string line; std::getline(lines, line);) {
    const auto address = IpAddress::parse(line);
    if (!address && line != none) {
      throw UsageError(path_ + ": line " + std::to_string(found.size() + 1) +
                       " is neither an IP address nor '-'");
    }
    found.push_back(address);
  }
  found.resize(peers_.size());  // the number of lanes may have changed
  peers_ = std::move(found);
}

void LastPeers::remember(std::size_t lane, const IpAddress& address) {
  if (peers_[lane] == address) return;
  peers_[lane] = address;
  std::string text;
  for (const auto& peer : peers_) text.append(peer ? peer->to_string() : none).append("\n");
  try {
    replace_file(path_, text, 0600, Sync::no);
  } catch (const SystemError& error) {
    log_warning("the peer's address is not kept for a restart", {{"error", error.what()}});
  }
}

}  // namespace routevpn::monitor
