// A new worker takes the place of one that runs, without a change of the carrier:
//
//   1. The new worker starts and prepares everything. The old one carries packets meanwhile.
//   2. The old one stops its lanes and writes their state (hand_over, handed_over).
//   3. The new one reads it and starts its lanes (take_over).
//
// If that fails, the old worker is killed, and start_worker() starts one without a state.

#include <csignal>

#include "routevpn/base/log.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/monitor/monitor.hpp"

#include "sealed_files.hpp"
#include "tell.hpp"

namespace routevpn::monitor {

void Monitor::replace_worker() {
  try {
    next_ = start_process();
    next_is_ready_ = false;
    reloads_before_next_ = reloads_told_;
    replace_by_ = read_clock() + replace_time;
    loop_.watch(next_->ended_fd(), [this] { abandon_replacement("it has ended"); });
    loop_.watch(next_->channel().fd(), [this] { on_next_message(); });
    give_start(*next_, true);
  } catch (const std::exception& error) {  // the old worker has the link, and its end is handled
    abandon_replacement(error.what());
  }
}

// A worker that waits for its state sends Ready and nothing else.
void Monitor::on_next_message() {
  channel::Message message;
  const auto result = next_->channel().receive(message);
  if (result == channel::ReceiveResult::empty) return;
  if (next_is_ready_ || result != channel::ReceiveResult::ok || !message.as<channel::Ready>()) {
    return abandon_replacement("it does not wait for the state");
  }
  next_is_ready_ = true;
  tell(channel::HandOver{});
}

void Monitor::drop_next() {
  replace_by_.reset();
  if (!next_) return;
  loop_.unwatch(next_->channel().fd());
  loop_.unwatch(next_->ended_fd());
  next_.reset();
}

void Monitor::abandon_replacement(const std::string& why) {
  drop_next();
  log_error("the new worker does not take over the running link", {{"reason", why}});
  if (worker_) worker_->kill(SIGKILL);
}

// The seals prove that the old worker has no mapping left through which it could change the state.
bool Monitor::handed_over(const channel::HandedOver& message) {
  if (!next_ || !next_is_ready_ || message.done > 1) return false;
  if (message.done == 0) {
    abandon_replacement("the running worker hands nothing over");
    return true;
  }
  try {
    seal(worker_->memory());
  } catch (const SystemError& error) {
    abandon_replacement(error.what());
    return true;
  }
  take_next();
  return true;
}

void Monitor::take_next() {
  const channel::TakeOver start{static_cast<std::uint8_t>(new_credentials_ ? 1 : 0)};
  const int memory = worker_->memory().get();
  tell_process(*next_, start, std::span(&memory, 1));
  for (const int fd :
       {worker_->channel().fd(), worker_->ended_fd(), next_->channel().fd(), next_->ended_fd()}) {
    loop_.unwatch(fd);
  }
  replace_by_.reset();
  drop_resolvers();  // a session that waits for an answer asks again in the new worker
  const auto old = std::exchange(worker_, std::move(next_));
  state_ = running;
  answered_ = true;
  send_failed_ = has_ended_ = new_credentials_ = false;
  parts_.clear();
  loop_.watch(worker_->ended_fd(), [this] { worker_ended(); });
  loop_.watch(worker_->channel().fd(), [this] { on_message(); });
  if (!unit_.empty()) store_worker(*worker_);
  repeat_reloads();
  if (!was_ready_) host::notify(status_line());
  ready({});
}

// The new worker got its files when it started: those of all reloads until then. Only the old one
// was told what changed since.
void Monitor::repeat_reloads() {
  reloads_answered_ = reloads_told_;
  if (reloads_told_ == reloads_before_next_) {
    for (const auto& done : std::exchange(running_reloads_, {})) end_reload(done);
    return reloads_ended();
  }
  try {
    tell_reload(true);
  } catch (const SystemError& error) {
    return abandon_reloads(error.what());
  }
  for (RunningReload& reload : running_reloads_) reload.number = reloads_told_;
}

}  // namespace routevpn::monitor
