// The worker's requests; dispatch.cpp calls these handlers. A handler returns false for a request
// that it refuses. A refused set_carrier, set_mtu or sign is answered too, because the worker waits
// for the answer.

#include <algorithm>

#include <malloc.h>

#include "routevpn/base/log.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/host/memory.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/monitor/monitor.hpp"

#include "tell.hpp"

namespace routevpn::monitor {

namespace {

constexpr unsigned least_mtu = 68;  // RFC 791
constexpr unsigned greatest_mtu = 65535;

// The channel's room has no other room's constants.
static_assert(channel::most_lanes == options::most_lanes);
static_assert(channel::most_addresses == host::ResolverProcess::max_addresses);
static_assert(channel::most_error_bytes == host::ResolverProcess::max_error_bytes);
static_assert(channel::most_digest_bytes == signer::digest_bytes(signer::SignDigest::sha384));
static_assert(channel::most_signature_bytes == signer::max_signature_bytes);

using ErrorText = decltype(channel::Resolved::error);

constexpr std::string_view name_of(channel::LinkState state) {
  if (state == channel::LinkState::up) return "up";
  return state == channel::LinkState::down ? "down" : "connecting";
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

bool Monitor::ready(const channel::Ready& /*message*/) {
  state_ = running;
  if (std::exchange(was_ready_, true)) return true;
  host::notify("READY=1");
  return true;
}

bool Monitor::set_carrier(const channel::SetCarrier& wanted) {
  if (wanted.on == 0) {
    carrier_off();
  } else if (wanted.on == 1 && !exit_ && state_ != dying) {
    try {
      ends_.carrier.set(true);
      carrier_ = true;
    } catch (const SystemError& error) {
      log_error("the carrier cannot be switched on", {{"error", error.what()}});
      begin_stop(Exit::failed);
    }
  }
  tell(channel::CarrierSet{});
  return wanted.on <= 1;
}

// A deleted interface has no carrier to lose: a stop goes on, so that the peer is told.
void Monitor::carrier_off() {
  if (!carrier_) return;
  carrier_ = false;
  if (!exit_) ++flaps_;
  try {
    ends_.carrier.set(false);
  } catch (const SystemError& error) {
    log_warning("the carrier cannot be taken off", {{"error", error.what()}});
  }
}

// Below 1280 bytes the kernel would remove IPv6 from the interface for good.
bool Monitor::set_mtu(const channel::SetMtu& wanted) {
  const unsigned bytes = wanted.bytes;
  const unsigned least = options_.has_family(false) ? ipv6_minimum_mtu : least_mtu;
  const bool allowed = !options_.mtu && bytes >= least && bytes <= greatest_mtu;
  try {
    if (allowed) ends_.netlink.set_mtu(ifname_, bytes);
    if (allowed) mtu_ = bytes;
  } catch (const std::exception& error) {
    log_warning("the interface keeps its MTU", {{"error", error.what()}});
  }
  tell(channel::MtuSet{mtu_});
  return allowed;
}

bool Monitor::ignore_dead_routes(const channel::IgnoreDeadRoutes& /*message*/) {
  if (std::exchange(routes_ignored_, true)) return true;  // an earlier worker has asked already
  try {
    ends_.linkdown_routes.ignore();
  } catch (const SystemError& error) {
    log_warning("routes are not ignored without carrier", {{"error", error.what()}});
  }
  return true;
}

bool Monitor::resolve(const channel::ResolvePeer& wanted) {
  if (wanted.lane >= resolvers_.size() || wanted.peer >= options_.peers.size()) return false;
  auto& resolver = resolvers_[wanted.lane];
  if (resolver) return false;
  try {
    resolver = std::make_unique<host::ResolverProcess>(host::ResolverProcess::start(
        program_, options_.peers[wanted.peer].host, account_.uid, account_.gid));
    loop_.watch(resolver->fd(), [this, lane = wanted.lane] { resolved(lane); });
  } catch (const SystemError& error) {
    resolver.reset();
    channel::Resolved failed{};
    failed.lane = wanted.lane;
    failed.error = ErrorText::of(error.what());
    tell(failed);
  }
  return true;
}

void Monitor::resolved(std::uint8_t lane) {
  auto& resolver = resolvers_[lane];
  const auto result = resolver->take();
  if (!result) return;  // not all of it is there
  loop_.unwatch(resolver->fd());
  resolver.reset();
  channel::Resolved answer{};
  answer.lane = lane;
  const std::size_t count = std::min(result->addresses.size(), channel::most_addresses);
  for (std::size_t i = 0; i < count; ++i) {
    answer.addresses[i] = channel::Address::of(result->addresses[i]);
  }
  answer.error = ErrorText::of(result->error);
  tell(answer);
}

bool Monitor::sign_part(const channel::SignPart& part) {
  const std::size_t length = part.length;
  if (length > part.bytes.size() || length > parts_.capacity() - parts_.size()) {
    parts_.clear();
    return false;
  }
  parts_.insert(parts_.end(), part.bytes.begin(),
                part.bytes.begin() + static_cast<std::ptrdiff_t>(length));
  return true;
}

bool Monitor::sign(const channel::Sign& wanted) {
  channel::SignedDigest answer{};
  answer.length = static_cast<std::uint16_t>(signature_of(wanted, answer.bytes));
  parts_.clear();
  tell(answer);
  return answer.length != 0;
}

void Monitor::warn_of_rate() {
  ++over_rate_;
  const Time now = read_clock();
  if (now < next_rate_log_) return;
  next_rate_log_ = now + refusal_log_interval;
  log_warning("the worker asks for too many signatures", {{"refused", std::to_string(over_rate_)}});
}

signer::Signer* Monitor::signer_of(std::uint8_t key) const {
  if (key == key_) return signer_.get();
  return key == static_cast<std::uint8_t>(key_ - 1) ? old_signer_.get() : nullptr;
}

// Returns the length of the signature, 0: refused.
std::size_t Monitor::signature_of(const channel::Sign& wanted, std::span<std::uint8_t> signature) {
  if (wanted.scheme > static_cast<std::uint8_t>(signer::SignScheme::ed25519) ||
      wanted.digest > static_cast<std::uint8_t>(signer::SignDigest::sha384) ||
      wanted.length > wanted.bytes.size()) {
    return 0;
  }
  const auto scheme = static_cast<signer::SignScheme>(wanted.scheme);
  const ConstBytes bytes = scheme == signer::SignScheme::ed25519
                               ? ConstBytes(parts_)
                               : ConstBytes(wanted.bytes).first(wanted.length);
  const signer::SignRequest request{scheme, static_cast<signer::SignDigest>(wanted.digest), bytes};
  signer::Signer* const signer = signer_of(wanted.key);
  if (signer == nullptr) return 0;
  const auto over_rate = signer->rate_refusals();
  const std::size_t length = signer->sign(request, signature, read_clock());
  if (signer->rate_refusals() != over_rate) warn_of_rate();
  return length;
}

bool Monitor::announce(const channel::Announce& news) {
  const auto state = news.state;
  const auto reason = news.reason.view();
  if (state > channel::LinkState::up || !is_word(reason)) return false;
  const auto peer = news.peer.get();
  report_state(state, reason, printable(news.text.view()), peer ? peer->to_string() : "");
  if (state == channel::LinkState::up) {  // the code of set-up and signatures runs rarely
    malloc_trim(0);
    host::release_code_pages();
  }
  return true;
}

// systemd ignores a notification of more than 4096 bytes (PIPE_BUF).
std::string Monitor::status_line() const {
  constexpr std::size_t most_fault_bytes = 750;  // of which printable() makes at most 3000
  std::string line = status_text_.empty() ? "STATUS=" : status_text_;
  if (reload_fault_.empty()) return line;
  if (!status_text_.empty()) line.append("; ");
  return line.append("the last reload failed: ")
      .append(printable(std::string_view(reload_fault_).substr(0, most_fault_bytes)));
}

void Monitor::report_state(channel::LinkState state, std::string_view reason,
                           const std::string& text, const std::string& peer) {
  announced_ = state;
  status_text_ = std::string("STATUS=").append(name_of(state)).append(": ").append(text);
  host::notify(status_line());
  hook_.run({{"ROUTEVPN_LINK", listener_.link()},
             {"ROUTEVPN_STATE", std::string(name_of(state))},
             {"ROUTEVPN_REASON", std::string(reason)},
             {"ROUTEVPN_PEER", peer}});
}

bool Monitor::remember_peer(const channel::RememberPeer& peer) {
  const auto address = peer.peer.get();
  const bool acceptor = options_.peers.empty();
  if (!acceptor || peer.lane >= ends_.lanes.size() || !address) return false;
  last_peers_.remember(peer.lane, address->address);
  return true;
}

bool Monitor::alive(const channel::Alive& /*message*/) {
  if (answered_) return false;
  answered_ = true;
  host::notify("WATCHDOG=1");
  return true;
}

bool Monitor::keep_gasp(const channel::KeepGasp& gasp) {
  return gasps_.keep(gasp);
}

// Unasked, a worker ends when the interface is gone. Otherwise it has a fault and is replaced.
bool Monitor::ended(const channel::Ended& end) {
  if (end.as_asked > 1) return false;
  if (!exit_ && ends_.lanes.front().tun.exists()) {
    worker_->kill(SIGKILL);
    return false;
  }
  has_ended_ = true;
  if (!exit_) exit_ = Exit::failed;
  if (!kill_at_) kill_at_ = read_clock() + stop_time;
  return true;
}

}  // namespace routevpn::monitor
