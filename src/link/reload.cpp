// The monitor has read files again: credentials, or the configuration file's --accept prefixes.

#include <cstdlib>
#include <utility>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/link/link.hpp"

namespace routevpn::link {

void Link::reload(const channel::Reload& reload, std::span<const Fd> descriptors) {
  bool taken = false;
  try {
    auto files = read_files(descriptors);
    if (reload.new_credentials != 0) replace_identity(reload, files);
    if (std::exchange(options_.accept, files.options.accept) != options_.accept) accept_sources();
    settings_read_ = reload.settings_read;
    taken = true;
  } catch (const std::exception& error) {
    // The monitor forgets the old key after a minute, and then refuses every signature of it. The
    // next worker starts with the new credentials.
    if (reload.new_credentials != 0) {
      log_error("the worker cannot use the new credentials and is replaced",
                {{"error", error.what()}});
      std::_Exit(static_cast<int>(Exit::failed));
    }
    log_error("reload failed, the old files stay in force", {{"error", error.what()}});
  }
  next_psks_.clear();
  monitor_.tell(channel::Reloaded{static_cast<std::uint8_t>(taken ? 1 : 0), reload.number});
}

void Link::accept_sources() {
  for (const auto& lane : lanes_) lane->accept_sources(accepted_sources());
  log_info("the accepted inner sources have changed",
           {{"prefixes", std::to_string(options_.accept.size())}});
}

void Link::replace_identity(const channel::Reload& reload, const FileContents& files) {
  identity_ = make_identity(files, std::exchange(next_psks_, {}), reload.key, monitor_);
  for (const auto& lane : lanes_) {
    lane->session().replace_identity(identity_, read_clock());
    drain(*lane);
  }
  log_info("certificates were loaded again");
  end_watch_ = {};
  warn_of_expiry();
}

// With --accept, protocols of the link itself still work. They use the addresses of the
// interconnect and IPv6 link-local ones, MLD also the unspecified address, which no router forwards
// (RFC 4291 section 2.5.2).
datapath::PrefixSet Link::accepted_sources() const {
  // With `routed`, nftables in the private namespace decides, also about the prefixes.
  if (options_.accept.empty() || options_.accepts_routed()) return {};
  std::vector<IpPrefix> accepted = options_.accepted_prefixes();
  accepted.insert(accepted.end(), options_.addresses.begin(), options_.addresses.end());
  for (const auto* prefix : {"fe80::/10", "::/128"}) accepted.push_back(*IpPrefix::parse(prefix));
  return datapath::PrefixSet(accepted);
}

}  // namespace routevpn::link
