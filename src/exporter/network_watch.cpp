#include "routevpn/exporter/network_watch.hpp"

#include <algorithm>

#include <sys/eventfd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

NetworkWatch::NetworkWatch(const Network& network)
    : version_(version_of(network)), ending_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!ending_) throw system_error("eventfd");
  for (const auto& gateway : network.gateways) gateways_.push_back({gateway.exporter});
}

NetworkWatch::~NetworkWatch() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  ::eventfd_write(ending_.get(), 1);
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const std::string> NetworkWatch::states() {
  const std::scoped_lock lock(mutex_);
  const auto now = read_clock();
  if (requested_ && now - *requested_ > interest) forget();
  requested_ = now;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
  if (text_) return text_;
  std::string text = "{\"version\":" + ascii_text(version_) + ",\"gateways\":[";
  for (const auto& gateway : gateways_) {
    const auto& latest = gateway.latest;
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(
        gateway.at.value_or(Time{}).time_since_epoch());
    if (text.back() != '[') text += ",";
    text.append("{\"fault\":").append(latest.fault.empty() ? "null" : ascii_text(latest.fault));
    text.append(",\"error\":").append(latest.error.empty() ? "null" : ascii_text(latest.error));
    text.append(",\"at_ms\":").append(gateway.at ? std::to_string(at.count()) : "null");
    text.append(",\"links\":").append(latest.links);
    text.append(",\"interfaces\":").append(latest.interfaces).append("}");
  }
  text_ = std::make_shared<const std::string>(text + "]}\n");
  return text_;
}

void NetworkWatch::forget() {
  for (auto& gateway : gateways_) gateway = {gateway.exporter};
  text_.reset();
}

void NetworkWatch::run() {
  Time last_round{};
  while (wait_for_interest(last_round)) {
    last_round = read_clock();
    repeats_ = false;
    try {
      ask_round();
    } catch (const std::exception& error) {  // the metrics go on
      log_error(error.what());
    }
    if (repeats_) last_round = {};
  }
}

bool NetworkWatch::wait_for_interest(Time last_round) {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    const auto now = read_clock();
    if (!requested_ || now - *requested_ > interest) {
      changed_.wait(lock);
    } else if (now - last_round < period) {
      changed_.wait_for(lock, period - (now - last_round));
    } else {
      return true;
    }
  }
  return false;
}

std::optional<IpAddress> NetworkWatch::source() const {
  const auto own = own_addresses();
  for (const auto& gateway : gateways_) {
    if (!gateway.exporter) continue;
    const auto& address = gateway.exporter->address;
    if (std::ranges::find(own, address) != own.end()) return address;
  }
  return std::nullopt;
}

AskLimits NetworkWatch::limits_of(bool asks_silent) const {
  auto round = limits;
  if (!asks_silent) {
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(4 * slowest_);
    round.time = std::clamp(time, shortest_time, limits.time);
  }
  round.cancel = ending_.get();
  return round;
}

void NetworkWatch::ask_round() {
  const auto own = source();
  std::vector<Question> questions;
  std::vector<std::size_t> asked;
  bool asks_silent = false;
  {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < gateways_.size(); ++i) {
      auto& gateway = gateways_[i];
      if (!gateway.exporter) continue;
      if (gateway.rounds_to_wait > 0) {
        --gateway.rounds_to_wait;
        continue;
      }
      asks_silent = asks_silent || gateway.misses >= misses_of_silent;
      questions.push_back({{}, link_states_request(gateway.exporter->to_string())});
      questions.back().address = gateway.exporter;
      if (gateway.has_source) questions.back().source = own;
      asked.push_back(i);
    }
  }
  const auto begin = read_clock();
  const auto round = limits_of(asks_silent);
  slowest_ = {};
  ask(questions, round, [&](std::size_t question, const Answer& answer) {
    const std::scoped_lock lock(mutex_);
    take(gateways_[asked[question]], answer);
    if (answer.refusal == Refusal::none) slowest_ = std::max(slowest_, read_clock() - begin);
  });
}

// The latest answer stays at the first miss.
void NetworkWatch::take(Gateway& gateway, const Answer& answer) {
  if (answer.refusal == Refusal::no_answer) {
    gateway.has_source = !gateway.has_source;
    ++gateway.misses;
    if (gateway.misses < misses_of_silent) {
      repeats_ = true;
      return;
    }
    gateway.rounds_to_wait = rounds_of_silent - 1;
  } else {
    gateway.misses = 0;
  }
  gateway.latest = read_link_states(answer);
  gateway.at = read_clock();
  text_.reset();
}

}  // namespace routevpn::exporter
