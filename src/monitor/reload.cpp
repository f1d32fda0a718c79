// SIGHUP or the command `reload`: the monitor reads the credentials again, and of the configuration
// file the --accept prefixes and the names of the PSK files. A fault of one does not keep the other
// from being taken. When the files of the credentials have changed, the monitor reads these by
// itself. With `--accept routed` the guardian's nftables table has the prefixes, and it stays the
// same until the link ends.

#include <algorithm>
#include <utility>

#include "routevpn/base/log.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/monitor/monitor.hpp"
#include "routevpn/monitor/signature_rate.hpp"
#include "routevpn/options/parse_link.hpp"

#include "sealed_files.hpp"
#include "tell.hpp"

namespace routevpn::monitor {

void Monitor::on_command(host::CommandSocket::Client client, std::string_view command) {
  if (command == "reload") return reload(client);
  commands_.answer(client, {false, {"this link has no such command"}});
}

void Monitor::reload(std::optional<host::CommandSocket::Client> client) {
  if (was_ready_) host::notify_reloading();
  host::CommandSocket::Answer answer;
  const auto succeeds = [&answer](const std::string& failed, const auto& step) {
    try {
      step();
      return true;
    } catch (const std::exception& error) {
      log_error("reload failed, " + failed, {{"error", error.what()}});
      answer.done = false;
      answer.lines.push_back(std::string(error.what()).append("; ").append(failed));
      return false;
    }
  };
  const bool new_credentials =
      succeeds("the old certificates stay in force", [this] { reload_credentials(); });
  bool new_options = false;
  succeeds("the old --accept prefixes stay in force",
           [&] { new_options = reload_accept(answer.lines); });
  const bool told =
      (new_credentials || new_options) && worker_ != nullptr &&
      succeeds("the next worker gets the new files", [&] { tell_reload(new_credentials); });
  RunningReload reload{client, reloads_told_, std::move(answer)};
  if (told) return running_reloads_.push_back(std::move(reload));
  end_reload(reload);
  reloads_ended();
}

dtls::Credentials Monitor::load_credentials() const {
  return dtls::load_for_link(
      {options_.certificate, options_.key, options_.ca, options_.crl, options_.psk},
      {options_.peer_name, options_.ciphers, options_.crl_grace}, true);
}

std::vector<std::string> Monitor::files_of(const options::LinkOptions& options) {
  auto files = options.psk;
  files.insert(files.end(), {options.certificate, options.key, options.ca, options.crl});
  return files;
}

// A link with a PSK stays one, because only a restart of both ends changes that. A configuration
// file with a fault, which reload_accept() reports, leaves the files as they are.
std::vector<std::string> Monitor::wanted_psk() const {
  const auto parsed = options::parse_link(arguments_);
  const bool takes = parsed.faults.empty() && !parsed.options.psk.empty() && !options_.psk.empty();
  return takes ? parsed.options.psk : options_.psk;
}

void Monitor::reload_credentials() {
  const auto old = std::exchange(options_.psk, wanted_psk());
  try {
    host::FileWatch files(files_of(options_));  // before they are read: no later change is missed
    take_credentials(load_credentials());
    file_watch_ = std::move(files);
  } catch (...) {
    options_.psk = old;
    throw;
  }
}

// The certificate tells the key apart.
bool Monitor::are_in_force(const dtls::Credentials& credentials) const {
  return dtls::texts_of(credentials) == texts_ &&
         std::ranges::equal(credentials.psks, psks_, dtls::same);
}

void Monitor::take_credentials(dtls::Credentials fresh) {
  auto texts = dtls::texts_of(fresh);
  auto signer =
      std::make_unique<signer::Signer>(std::move(fresh.key), signature_rate(options_.lanes));
  texts_ = std::move(texts);
  psks_ = std::move(fresh.psks);
  old_signer_ = std::exchange(signer_, std::move(signer));
  old_key_until_ = read_clock() + old_key_life;
  ++key_;
  new_credentials_ = true;
  reread_at_.reset();
  reread_fault_.clear();
}

void Monitor::check_files(Time now) {
  // So that the tick of the namespaces' watch, up to so much earlier, serves the files, too.
  constexpr Duration slack = std::chrono::milliseconds(100);
  if (now + slack >= check_files_at_) {
    check_files_at_ = now + host::FileWatch::check_interval;
    if (file_watch_.changed()) reread_at_ = now;
  }
  if (!reread_at_ || now < *reread_at_) return;
  reread_at_.reset();
  if (!exit_) reread_files(now);
}

// A program that copies files may also write what is there already: then nothing changes.
void Monitor::reread_files(Time now) {
  try {
    auto fresh = load_credentials();
    if (are_in_force(fresh)) {
      log_debug("the files of the credentials were written again with the same content");
      return reread_fault_.clear();
    }
    take_credentials(std::move(fresh));
    log_info("the files of the credentials have changed");
  } catch (const UsageError& error) {
    return refuse_files(error.what(), error.status, now);
  } catch (const SystemError& error) {
    return refuse_files(error.what(), Exit::failed, now);
  }
  if (worker_ == nullptr) return;
  try {
    tell_reload(true);
  } catch (const SystemError& error) {
    log_error("the next worker gets the new files", {{"error", error.what()}});
  }
}

void Monitor::refuse_files(const std::string& fault, Exit status, Time now) {
  if (std::exchange(reread_fault_, fault) != fault) {
    log_error("new files of the credentials are not taken, the old stay in force",
              {{"error", fault}});
  }
  if (status == Exit::failed) reread_at_ = now + reread_interval;
}

bool Monitor::reload_accept(std::vector<std::string>& notes) {
  constexpr auto other_changes =
      "the configuration file has other changes, which need a restart of the link";
  const auto read_at = pki::now();
  auto parsed = options::parse_link(arguments_);
  if (!parsed.faults.empty()) throw UsageErrors(std::move(parsed.faults));
  const bool by_worker = !options_.accepts_routed() && !parsed.options.accepts_routed();
  const bool changed = by_worker && parsed.options.accept != options_.accept;
  if (changed) options_.accept = parsed.options.accept;
  // reload_credentials() has taken the PSK files, or reported why not.
  auto& psk = parsed.options.psk;
  if (!psk.empty() && !options_.psk.empty()) psk = options_.psk;
  if (parsed.options != options_) {
    log_warning(other_changes, {{"config", options_.config_file}});
    notes.emplace_back(other_changes);
  } else {
    settings_read_ = read_at;
  }
  return changed;
}

void Monitor::tell_reload(bool new_credentials) {
  const SealedFiles files(options_, texts_);
  if (new_credentials) give_psks(*worker_);
  tell(channel::Reload{key_, static_cast<std::uint8_t>(new_credentials ? 1 : 0), ++reloads_told_,
                       settings_read_.time_since_epoch().count()},
       files.descriptors());
}

bool Monitor::reloaded(const channel::Reloaded& answer) {
  if (answer.taken > 1 || answer.number != reloads_answered_ + 1 || answer.number > reloads_told_) {
    return false;
  }
  reloads_answered_ = answer.number;
  std::erase_if(running_reloads_, [&](RunningReload& reload) {
    if (reload.number != answer.number) return false;
    if (answer.taken == 0) {
      reload.answer.done = false;
      reload.answer.lines.emplace_back("the worker did not take the files; the log has the reason");
    }
    end_reload(reload);
    return true;
  });
  reloads_ended();
  return true;
}

// The worker answers no more.
void Monitor::abandon_reloads(const std::string& why) {
  reloads_answered_ = reloads_told_;
  if (running_reloads_.empty()) return;
  for (RunningReload& reload : std::exchange(running_reloads_, {})) {
    reload.answer.done = false;
    reload.answer.lines.push_back(why);
    end_reload(reload);
  }
  reloads_ended();
}

void Monitor::end_reload(const RunningReload& ended) {
  reload_fault_.clear();
  if (!ended.answer.done) {
    for (const auto& line : ended.answer.lines) {
      reload_fault_.append(reload_fault_.empty() ? "" : "; ").append(line);
    }
  }
  if (ended.client) commands_.answer(*ended.client, ended.answer);
}

// A reload of changed files that nobody asked for is not announced.
void Monitor::reloads_ended() {
  if (!was_ready_ || exit_ || !running_reloads_.empty()) return;
  host::notify(std::string("READY=1\n").append(status_line()));
}

}  // namespace routevpn::monitor
