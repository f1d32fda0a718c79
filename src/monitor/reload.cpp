// SIGHUP: the monitor reads the credentials again, and the --accept prefixes of the configuration
// file. A fault of one does not keep the other from being taken. With `--accept routed` the
// guardian's nftables table has the prefixes, and it stays the same until the link ends.

#include "routevpn/base/log.hpp"
#include "routevpn/monitor/monitor.hpp"
#include "routevpn/monitor/signature_rate.hpp"
#include "routevpn/options/parse_link.hpp"

#include "sealed_files.hpp"
#include "tell.hpp"

namespace routevpn::monitor {

void Monitor::reload() {
  const bool new_credentials = reload_credentials();
  const bool new_options = reload_accept();
  if ((!new_credentials && !new_options) || worker_ == nullptr) return;
  try {
    const SealedFiles files(options_, texts_);
    if (new_credentials) hand_over_psks();
    tell(channel::Reload{key_, static_cast<std::uint8_t>(new_credentials ? 1 : 0)},
         files.descriptors());
  } catch (const std::exception& error) {  // the next worker gets the new files
    log_error("the worker could not be given the new files", {{"error", error.what()}});
  }
}

bool Monitor::reload_credentials() {
  try {
    auto fresh = dtls::load_credentials(
        {options_.certificate, options_.key, options_.ca, options_.crl, options_.psk});
    dtls::Identity::make(fresh, {options_.peer_name, options_.ciphers});
    auto texts = dtls::texts_of(fresh);
    auto signer =
        std::make_unique<signer::Signer>(std::move(fresh.key), signature_rate(options_.lanes));
    texts_ = std::move(texts);
    psks_ = std::move(fresh.psks);
    old_signer_ = std::exchange(signer_, std::move(signer));
    old_key_until_ = read_clock() + old_key_life;
    ++key_;
    return true;
  } catch (const std::exception& error) {
    log_error("reload failed, the old certificates stay in force", {{"error", error.what()}});
    return false;
  }
}

bool Monitor::reload_accept() {
  try {
    auto parsed = options::parse_link(arguments_);
    if (!parsed.faults.empty()) throw UsageErrors(std::move(parsed.faults));
    const bool by_worker = !options_.accepts_routed() && !parsed.options.accepts_routed();
    const bool changed = by_worker && parsed.options.accept != options_.accept;
    if (changed) options_.accept = parsed.options.accept;
    if (parsed.options != options_) {
      log_warning("the configuration file has other changes, which need a restart of the link",
                  {{"config", options_.config_file}});
    }
    return changed;
  } catch (const std::exception& error) {
    log_error("reload failed, the old --accept prefixes stay in force", {{"error", error.what()}});
    return false;
  }
}

}  // namespace routevpn::monitor
