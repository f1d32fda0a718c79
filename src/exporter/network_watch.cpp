#include "routevpn/exporter/network_watch.hpp"

#include <algorithm>

#include <sys/socket.h>

#include "routevpn/base/owned.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

namespace {

// Whether a socket of this namespace can have the address.
bool is_own(const IpAddress& address) {
  const int family = address.is_v4() ? AF_INET : AF_INET6;
  sockaddr_storage storage{};
  const auto length = SocketAddress{address, 0}.to_kernel(storage, family);
  const Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd && ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0;
}

}  // namespace

NetworkWatch::NetworkWatch(const Network& network) {
  for (const auto& gateway : network.gateways) gateways_.push_back({gateway.exporter});
}

NetworkWatch::~NetworkWatch() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string NetworkWatch::states() {
  const std::scoped_lock lock(mutex_);
  wanted_ = read_clock();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
  std::string text = "{\"gateways\":[";
  for (const auto& gateway : gateways_) {
    const auto& heard = gateway.heard;
    if (text.back() != '[') text += ",";
    text.append("{\"fault\":").append(heard.fault.empty() ? "null" : ascii_text(heard.fault));
    text.append(",\"error\":").append(heard.error.empty() ? "null" : ascii_text(heard.error));
    text.append(",\"links\":").append(heard.links);
    text.append(",\"interfaces\":").append(heard.interfaces).append("}");
  }
  return text + "]}\n";
}

void NetworkWatch::run() {
  Time last_round{};
  while (wait_for_interest(last_round)) {
    last_round = read_clock();
    ask_round();
  }
}

bool NetworkWatch::wait_for_interest(Time last_round) {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    const auto now = read_clock();
    if (!wanted_ || now - *wanted_ > interest) {
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
  for (const auto& gateway : gateways_) {
    if (gateway.exporter && is_own(gateway.exporter->address)) return gateway.exporter->address;
  }
  return std::nullopt;
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
      asks_silent = asks_silent || gateway.is_silent;
      questions.push_back({{}, link_states_request(gateway.exporter->to_string())});
      questions.back().address = gateway.exporter;
      if (gateway.has_source) questions.back().source = own;
      asked.push_back(i);
    }
  }
  auto round = limits;
  if (!asks_silent) {
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(4 * slowest_);
    round.time = std::clamp(time, shortest_time, limits.time);
  }
  const auto begin = read_clock();
  slowest_ = {};
  // Each answer counts when it arrives: one gateway that is silent does not hold back the others.
  ask(questions, round, [&](std::size_t question, const Answer& answer) {
    auto heard = read_link_states(answer);
    const std::scoped_lock lock(mutex_);
    auto& gateway = gateways_[asked[question]];
    gateway.is_silent = answer.refusal == Refusal::no_answer;
    gateway.rounds_to_wait = gateway.is_silent ? rounds_of_silent - 1 : 0;
    gateway.heard = std::move(heard);
    if (gateway.is_silent) {
      gateway.has_source = !gateway.has_source;
    } else {
      slowest_ = std::max(slowest_, read_clock() - begin);
    }
  });
}

}  // namespace routevpn::exporter
