// SIGHUP: the link reads its credentials again, and the --accept prefixes of its configuration
// file. A fault of one does not keep the other from being taken.

#include "routevpn/base/log.hpp"
#include "routevpn/link/link.hpp"
#include "routevpn/options/parse_link.hpp"

namespace routevpn::link {

void Link::reload() {
  reload_credentials();
  reload_accept();
}

void Link::reload_credentials() {
  try {
    identity_ = dtls::Identity::load(
        {options_.certificate, options_.key, options_.ca, options_.crl, options_.psk},
        {options_.peer_name, options_.ciphers});
    for (const auto& lane : lanes_) {
      lane->session().replace_identity(identity_, read_clock());
      drain(*lane);
    }
    log_info("certificates were loaded again");
    warn_of_expiry();
  } catch (const std::exception& error) {
    log_error("reload failed, the old certificates stay in force", {{"error", error.what()}});
  }
}

void Link::reload_accept() {
  try {
    auto parsed = options::parse_link(arguments_);
    if (!parsed.faults.empty()) throw UsageErrors(std::move(parsed.faults));
    const bool changed = parsed.options.accept != options_.accept;
    options_.accept = parsed.options.accept;
    if (parsed.options != options_) {
      log_warning("the configuration file has other changes, which need a restart of the link",
                  {{"config", options_.config_file}});
    }
    if (!changed) return;
    for (const auto& lane : lanes_) lane->accept_sources(accepted_sources());
    log_info("the accepted inner sources have changed",
             {{"prefixes", std::to_string(options_.accept.size())}});
  } catch (const std::exception& error) {
    log_error("reload failed, the old --accept prefixes stay in force", {{"error", error.what()}});
  }
}

// With --accept, protocols of the link itself still work. They use the addresses of the
// interconnect and IPv6 link-local ones, MLD also the unspecified address, which no router forwards
// (RFC 4291 section 2.5.2).
datapath::PrefixSet Link::accepted_sources() const {
  std::vector<IpPrefix> accepted = options_.accept;
  if (accepted.empty()) return {};
  accepted.insert(accepted.end(), options_.addresses.begin(), options_.addresses.end());
  for (const auto* prefix : {"fe80::/10", "::/128"}) accepted.push_back(*IpPrefix::parse(prefix));
  return datapath::PrefixSet(accepted);
}

}  // namespace routevpn::link
