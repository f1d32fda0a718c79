#include "routevpn/monitor/monitor.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/cage/confine.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/monitor/signature_rate.hpp"

#include "tell.hpp"

namespace routevpn::monitor {

namespace {

Fd open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&wanted, signal);
  Fd fd(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw system_error("signalfd");
  return fd;
}

Fd open_program() {
  constexpr const char* self = "/proc/self/exe";
  Fd fd(::open(self, O_RDONLY | O_CLOEXEC));
  if (!fd) throw system_error(self);
  return fd;
}

// The fallback user's group has other members.
gid_t group_of_socket(const cage::Account& account) {
  return account.name == cage::fallback_user ? 0 : account.gid;
}

// systemd 252 does not tell a service whether it keeps descriptors, so the unit does.
std::string unit_of_service_manager() {
  const char* const unit = std::getenv("ROUTEVPN_UNIT");
  return unit == nullptr || std::getenv("NOTIFY_SOCKET") == nullptr ? "" : unit;
}

std::string link_name(const options::LinkOptions& options, const std::string& ifname) {
  return options.link.empty() ? ifname : options.link;
}

}  // namespace

Monitor::Monitor(const options::LinkOptions& options, std::vector<std::string> arguments,
                 cage::Account account, dtls::Credentials credentials, host::FileWatch files,
                 Ends ends)
    : options_(options),
      arguments_(std::move(arguments)),
      account_(std::move(account)),
      program_(open_program()),
      texts_(dtls::texts_of(credentials)),
      psks_(std::move(credentials.psks)),
      signer_(std::make_unique<signer::Signer>(std::move(credentials.key),
                                               signature_rate(options.lanes))),
      ends_(std::move(ends)),
      ifname_(ends_.lanes.front().tun.name()),
      mtu_(ends_.mtu),
      signals_(open_signals()),
      netns_watch_({options.netns, options.public_netns}),
      file_watch_(std::move(files)),
      hook_(options.on_state),
      listener_(options.run_dir, link_name(options, ifname_), group_of_socket(account_)),
      commands_(loop_, options.run_dir, listener_.link(),
                [this](auto client, auto command) { on_command(client, command); }),
      last_peers_(options.run_dir, listener_.link(), ends_.lanes.size()),
      empty_root_(cage::make_empty_root(options.run_dir)),
      gasps_(ends_.lanes.size()),
      unit_(unit_of_service_manager()),
      resolvers_(ends_.lanes.size()) {
  Log::name_link(listener_.link());
  parts_.reserve(signer::max_message_bytes);
  if (options.user.empty()) cage::warn_of_fallback(account_);
  if (!ends_.public_netns.same_as(host::Netns::current())) ends_.public_netns.enter();
  loop_.watch(signals_.get(), [this] { on_signal(); });
  loop_.watch(netns_watch_.fd(), [this] { on_netns_change(); });
  if (ends_.guardian) {
    loop_.watch(ends_.guardian->ended_fd(), [this] { guardian_ended(); });
  }
}

Exit Monitor::run() {
  ping_at_ = read_clock() + ping_interval;
  check_files_at_ = read_clock() + host::FileWatch::check_interval;
  worker_ ? replace_worker() : start_worker();
  while (!done_) {
    loop_.turn(time_to_wait());
    if (!has_left_) on_timer(read_clock());
  }
  has_left_ ? release_link() : finish();
  hook_.finish(hook_time);
  next_refusal_log_ = {};
  report_refusals(read_clock());
  return exit_.value_or(Exit::stopped);
}

std::optional<Duration> Monitor::time_to_wait() const {
  Time first = std::min(ping_at_, check_files_at_);
  for (const auto& due : {old_key_until_, restart_at_, kill_at_, gasps_.due(), paused_until_,
                          reread_at_, replace_by_, leave_by_}) {
    if (due) first = std::min(first, *due);
  }
  return std::max(first - read_clock(), Duration::zero());
}

void Monitor::on_timer(Time now) {
  if (old_key_until_ && now >= *old_key_until_) {
    old_key_until_.reset();
    old_signer_.reset();
  }
  if (kill_at_ && now >= *kill_at_) {
    kill_at_.reset();
    if (worker_) worker_->kill(SIGKILL);
  }
  if (replace_by_ && now >= *replace_by_) abandon_replacement("it takes too long");
  if (leave_by_ && now >= *leave_by_) {
    log_warning("the worker does not answer, so the link ends for the restart");
    begin_stop(Exit::stopped);
  }
  gasps_.send(now, gasp_sender());
  resume(now);
  if (restart_at_ && now >= *restart_at_) {
    restart_at_.reset();
    try {
      start_worker();
    } catch (const SystemError& error) {
      if (worker_) {
        worker_->kill(SIGKILL);
      } else {
        plan_restart(error.what(), now);
      }
    }
  }
  report_refusals(now);
  check_files(now);
  if (now >= ping_at_) ping(now);
}

// A worker in a debugger (--no-sandbox) need not answer. It gets no other ping before it has.
void Monitor::ping(Time now) {
  ping_at_ = now + ping_interval;
  if (options_.no_sandbox || state_ == gone) host::notify("WATCHDOG=1");
  if (state_ == gone) return;
  const bool hangs = state_ == running ? !answered_ : now - worker_->started() >= ping_interval;
  if (hangs && options_.no_sandbox) return;
  if (hangs) {
    log_error("the worker does not answer, so it is replaced");
    worker_->kill(SIGKILL);
  } else if (state_ == running) {
    answered_ = false;
    tell(channel::Ping{refused_sources()});
  }
}

std::uint64_t Monitor::refused_sources() {
  return ends_.refused_sources ? ends_.refused_sources->count() : 0;
}

void Monitor::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGCHLD) return hook_.reap();
  if (info.ssi_signo == SIGHUP) return reload(std::nullopt);
  if (info.ssi_signo == SIGTERM && begin_leave()) return;
  log_info("stopping", {{"signal", strsignal(static_cast<int>(info.ssi_signo))}});
  begin_stop(Exit::stopped);
}

void Monitor::begin_stop(Exit status) {
  if (!exit_) {
    exit_ = status;
    host::notify("STOPPING=1");
    kill_at_ = read_clock() + stop_time;
  }
  restart_at_.reset();
  leave_by_.reset();
  drop_next();
  if (worker_ == nullptr) {
    done_ = true;
    return;
  }
  if (state_ == starting) {
    worker_->kill(SIGKILL);
  } else {
    tell(channel::Stop{});  // asked twice: at once
  }
}

// Our open descriptor would keep a deleted namespace alive, so the link exits.
void Monitor::on_netns_change() {
  const auto deleted = netns_watch_.deleted();
  if (!deleted) return;
  log_error("the network namespace was deleted", {{"netns", *deleted}});
  begin_stop(Exit::failed);
}

// Forwarding goes off first: packets of the link would leave with their inside addresses. Without
// the table of --accept routed, a worker that stops in order would still pass every inner source.
// The last gasp tells the peer in place of that worker.
void Monitor::guardian_ended() {
  loop_.unwatch(ends_.guardian->ended_fd());
  log_error("the guardian process has ended, so the link ends");
  try {
    ends_.guardian->undo(ends_.private_netns);
  } catch (const SystemError& error) {
    log_error("the guardian's rules remain", {{"error", error.what()}});
  }
  if (!exit_) begin_stop(Exit::failed);
  if (options_.accepts_routed() && worker_) worker_->kill(SIGKILL);
}

}  // namespace routevpn::monitor
