// The messages of the worker: which it may send when, and how many.

#include <algorithm>
#include <array>

#include "routevpn/base/log.hpp"
#include "routevpn/monitor/monitor.hpp"

#include "tell.hpp"

namespace routevpn::monitor {

struct Monitor::Rule {
  channel::Kind kind;
  std::uint8_t states;  // in which the worker may send it
  bool is_costly;       // see costly_rate
  bool (*take)(Monitor&, const channel::Message&);

  template <typename T, bool (Monitor::*handler)(const T&)>
  static Rule of(std::uint8_t states) {
    constexpr std::array cheap{
        channel::Kind::ready,      channel::Kind::sign_part,          channel::Kind::sign,
        channel::Kind::alive,      channel::Kind::ignore_dead_routes, channel::Kind::outlives,
        channel::Kind::handed_over};
    return {T::kind, states, std::ranges::find(cheap, T::kind) == cheap.end(),
            [](Monitor& monitor, const channel::Message& message) {
              const auto fields = message.as<T>();
              return fields && (monitor.*handler)(*fields);
            }};
  }
};

// The table of channel/messages.hpp.
const std::vector<Monitor::Rule> Monitor::rules = {
    Rule::of<channel::Ready, &Monitor::ready>(starting),
    Rule::of<channel::SetCarrier, &Monitor::set_carrier>(running | dying),
    Rule::of<channel::SetMtu, &Monitor::set_mtu>(running),
    Rule::of<channel::IgnoreDeadRoutes, &Monitor::ignore_dead_routes>(running),
    Rule::of<channel::ResolvePeer, &Monitor::resolve>(running),
    Rule::of<channel::SignPart, &Monitor::sign_part>(running),
    Rule::of<channel::Sign, &Monitor::sign>(running),
    Rule::of<channel::Announce, &Monitor::announce>(running | dying),
    Rule::of<channel::RememberPeer, &Monitor::remember_peer>(running | dying),
    Rule::of<channel::Alive, &Monitor::alive>(running),
    Rule::of<channel::Ended, &Monitor::ended>(running | dying),
    Rule::of<channel::KeepGasp, &Monitor::keep_gasp>(running | dying),
    Rule::of<channel::Reloaded, &Monitor::reloaded>(running),
    Rule::of<channel::Outlives, &Monitor::outlives>(running),
    Rule::of<channel::HandedOver, &Monitor::handed_over>(running),
};

void Monitor::on_message() {
  channel::Message message;
  // A monitor that has left the link leaves further messages to the next monitor.
  for (int i = 0; i < messages_per_turn && !has_left_; ++i) {
    const Time now = read_clock();
    if (!costly_.allows(now, costly_rate)) return pause(now);
    switch (worker_->channel().receive(message)) {
      case channel::ReceiveResult::empty:
        return;
      case channel::ReceiveResult::closed:
        loop_.unwatch(worker_->channel().fd());
        // A worker that ends closes the pair a little before it is dead. If it was killed then, the
        // log would have signal 9 in place of its status.
        if (!worker_->ends_within(end_time)) worker_->kill(SIGKILL);
        return;
      case channel::ReceiveResult::ok:
        if (!take(message)) refuse(message.kind());
    }
  }
}

void Monitor::pause(Time now) {
  if (paused_until_) return;
  paused_until_ = now + costly_rate.interval;
  loop_.unwatch(worker_->channel().fd());
}

void Monitor::resume(Time now) {
  if (!paused_until_ || now < *paused_until_) return;
  paused_until_.reset();
  if (worker_) loop_.watch(worker_->channel().fd(), [this] { on_message(); });
}

bool Monitor::take(channel::Message& message) {
  const auto rule = std::ranges::find(rules, message.kind(), &Rule::kind);
  if (rule == rules.end() || !message.descriptors().empty()) return false;
  if (state_ == dying && (rule->states & dying) == 0) return true;  // it needs no answer
  if ((rule->states & state_) == 0) return false;
  if (!rule->take(*this, message)) return false;
  if (rule->is_costly) costly_.take(read_clock(), costly_rate);
  return true;
}

void Monitor::refuse(channel::Kind kind) {
  ++refused_;
  last_refused_ = kind;
  report_refusals(read_clock());
}

void Monitor::report_refusals(Time now) {
  if (refused_ == refused_logged_ || now < next_refusal_log_) return;
  refused_logged_ = refused_;
  next_refusal_log_ = now + refusal_log_interval;
  log_error("messages of the worker were refused",
            {{"all", std::to_string(refused_)},
             {"last_kind", std::to_string(static_cast<unsigned>(last_refused_))}});
}

}  // namespace routevpn::monitor
