// The service restarts: the monitor ends without an end of the link. It leaves the link with the
// service manager (kept_link.hpp), and the monitor that follows adopts it.

#include <array>

#include <openssl/evp.h>

#include "routevpn/base/log.hpp"
#include "routevpn/host/fd_store.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/monitor/monitor.hpp"
#include "routevpn/options/parse_link.hpp"

#include "tell.hpp"

namespace routevpn::monitor {

namespace {

// Of the secrets only a hash, which tells nothing of 32 random bytes.
std::string text_of(const dtls::CredentialTexts& texts, const dtls::Psks& psks) {
  std::string text = texts.certificates + texts.authorities + texts.revocations;
  for (const auto& psk : psks) {
    const ConstBytes secret = psk->traffic_secret();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr);
    text.append(digest.begin(), digest.begin() + size);
  }
  return text;
}

}  // namespace

// The next monitor can go on only with the same lasting options, and files that it accepts. Else
// the peer is told of the end in time.
bool Monitor::may_leave() {
  if (unit_.empty() || exit_ || next_ || state_ != running || !carrier_ || leave_by_) return false;
  if (!host::is_restarting(unit_, leave_time)) return false;
  try {
    const auto parsed = options::parse_link(arguments_);
    if (!parsed.faults.empty()) throw UsageErrors(parsed.faults);
    auto wanted = parsed.options;
    if (lasting_options(wanted) != lasting_options(options_)) {
      throw UsageError("options have changed that need a new interface or new sockets");
    }
    dtls::load_for_link({wanted.certificate, wanted.key, wanted.ca, wanted.crl, wanted.psk},
                        {wanted.peer_name, wanted.ciphers, wanted.crl_grace}, false);
    return true;
  } catch (const std::exception& error) {
    log_warning("the link ends for the restart", {{"reason", error.what()}});
    return false;
  }
}

bool Monitor::begin_leave() {
  if (!may_leave()) return false;
  log_info("the service restarts, and the link goes on meanwhile");
  leave_by_ = read_clock() + leave_time;
  tell(channel::Outlive{});
  return true;
}

bool Monitor::outlives(const channel::Outlives& /*message*/) {
  if (!leave_by_) return false;
  leave_by_.reset();
  bool kept = false;
  try {
    kept = keep_link(kept_state(), ends_, *worker_);
  } catch (const SystemError& error) {
    log_warning(error.what());
  }
  if (!kept) {
    log_warning("the service manager does not keep the link, so it ends for the restart");
    begin_stop(Exit::stopped);
    return true;
  }
  has_left_ = true;
  loop_.end_turn();  // a second signal must not stop the worker
  exit_ = Exit::stopped;
  done_ = true;
  return true;
}

KeptState Monitor::kept_state() const {
  KeptState state;
  state.options = lasting_options(options_);
  state.credentials = text_of(texts_, psks_);
  state.ifname = ifname_;
  state.public_netns = ends_.public_netns.inode();
  state.private_netns = ends_.private_netns.inode();
  state.udp_offload = ends_.lanes.front().tun.has_udp_offload();
  state.prefix.socket_is_v4 = ends_.lanes.front().socket.family() == AF_INET;
  state.mtu = mtu_;
  state.carrier = carrier_;
  state.flaps = flaps_;
  state.key = key_;
  state.reloads_told = reloads_told_;
  state.reloads_answered = reloads_answered_;
  state.answered = answered_;
  state.routes_ignored = routes_ignored_;
  state.announced = announced_;
  state.status = status_text_;
  state.prefix.worker_pid = worker_->pid();
  state.prefix.worker_uid = worker_->uid();
  if (ends_.guardian) {
    state.prefix.guardian_pid = ends_.guardian->pid();
    state.leftovers = ends_.guardian->leftovers();
  }
  state.prefix.gasps = gasps_.kept();
  state.prefix.traffic_class = gasp_class();
  return state;
}

// The service manager has copies of the descriptors.
void Monitor::release_link() {
  abandon_reloads("the service restarts before the worker has taken the files");
  worker_->release();
  if (ends_.guardian) ends_.guardian->release();
}

void Monitor::adopt(KeptLink& kept) {
  const KeptState& state = kept.state();
  worker_ = kept.take_worker();
  state_ = running;
  carrier_ = state.carrier;
  flaps_ = state.flaps;
  new_credentials_ = state.credentials != text_of(texts_, psks_);
  key_ = static_cast<std::uint8_t>(state.key + (new_credentials_ ? 1 : 0));
  reloads_told_ = state.reloads_told;
  reloads_answered_ = state.reloads_answered;
  answered_ = state.answered;
  routes_ignored_ = state.routes_ignored;
  announced_ = state.announced;
  status_text_ = state.status;
  gasps_ = Gasps(state.prefix.gasps);
  loop_.watch(worker_->ended_fd(), [this] { worker_ended(); });
  loop_.watch(worker_->channel().fd(), [this] { on_message(); });
  if (!unit_.empty()) store_worker(*worker_);  // until its successor has the link
}

}  // namespace routevpn::monitor
