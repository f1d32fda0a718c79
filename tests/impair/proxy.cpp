#include "impair/proxy.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

#include "impair/settings.hpp"

namespace routevpn::test {

using namespace std::chrono_literals;
using outside::UdpSocket;

namespace {

constexpr std::size_t buffer_bytes = 65536;  // the most that GRO merges
constexpr int receives_per_turn = 16;

std::shared_ptr<UdpSocket> open_udp(const std::optional<IpAddress>& address, std::uint16_t port) {
  return std::make_shared<UdpSocket>(UdpSocket::open({address, port}));
}

IpAddress any(const IpAddress& of_this_family) {
  return of_this_family.is_v4() ? IpAddress{} : IpAddress::v6({});
}

nlohmann::ordered_json to_json(const Relay& relay) {
  const auto& c = relay.counters();
  return {{"seen", c.seen},
          {"bytes", c.bytes},
          {"too_big", c.too_big},
          {"dropped", c.dropped},
          {"overflowed", c.overflowed},
          {"reordered", c.reordered},
          {"duplicated", c.duplicated},
          {"corrupted", c.corrupted},
          {"truncated", c.truncated},
          {"refused", relay.refused()}};
}

}  // namespace

Proxy::Proxy(const ImpairOptions& options)
    : options_(options),
      listener_(open_udp(options.listen.address, options.listen.port)),
      up_(2 * options.seed),
      down_(2 * options.seed + 1),
      buffer_(buffer_bytes) {
  up_.impairments() = options.up;
  down_.impairments() = options.down;
  next_source_ = open_source();
  if (!options.control.empty()) control_.emplace(options.control);
}

std::shared_ptr<UdpSocket> Proxy::open_source() const {
  return open_udp(options_.source.value_or(any(options_.target.address)), 0);
}

// The former socket stays open, so that the new one gets another port and the target gets no ICMP
// error, as with a NAT whose mapping has expired.
void Proxy::rebind() {
  ++rebinds_;
  for (auto& mapping : mappings_) {
    const int least = 0;
    setsockopt(mapping.source->fd(), SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
    former_.push_back(std::exchange(mapping.source, open_source()));
  }
}

// A new one takes the place of the one that was used longest ago.
Proxy::Mapping& Proxy::mapping_of(const outside::Endpoint& client) {
  const auto known = std::ranges::find(mappings_, client, &Mapping::client);
  if (known != mappings_.end()) return *known;
  if (mappings_.size() == most_mappings) {
    mappings_.erase(std::ranges::min_element(mappings_, {}, &Mapping::used));
  }
  outside::Received stale;  // came before there was a client
  while (next_source_->receive(buffer_, stale) == outside::RecvResult::ok) {
  }
  return mappings_.emplace_back(Mapping{client, std::exchange(next_source_, open_source())});
}

void Proxy::run() {
  for (;;) {
    const auto ready = wait();
    const Time now = Time::clock::now();
    if (ready.listener) pass_up(now);
    for (std::size_t i = 0; i < mappings_.size(); ++i) {
      if (ready.sources[i]) pass_down(mappings_[i], now);
    }
    up_.release(now);
    down_.release(now);
    if (ready.control) {
      control_->serve([this](const auto& command) { return execute(command); });
    }
  }
}

// The timer slack of the kernel, 50 us, is not changed: at high rates, datagrams that become due in
// that time leave together.
Proxy::Ready Proxy::wait() {
  const auto source = [this](std::size_t i) {
    return i < mappings_.size() ? mappings_[i].source->fd() : -1;
  };
  std::array<pollfd, 2 + most_mappings> sockets = {pollfd{listener_->fd(), POLLIN, 0},
                                                   {control_ ? control_->fd() : -1, POLLIN, 0},
                                                   {source(0), POLLIN, 0},
                                                   {source(1), POLLIN, 0}};
  const Time next = std::min(up_.next(), down_.next());
  timespec timeout{};
  if (next != Time::max()) {
    const auto left = std::max(next - Time::clock::now(), Duration::zero());
    timeout = {left / 1s, (left % 1s).count()};
  }
  if (ppoll(sockets.data(), sockets.size(), next == Time::max() ? nullptr : &timeout, nullptr) <
      0) {
    return {};  // a signal
  }
  return {sockets[0].revents != 0,
          sockets[1].revents != 0,
          {sockets[2].revents != 0, sockets[3].revents != 0}};
}

void Proxy::pass_up(Time now) {
  outside::Received received;
  for (int i = 0; i < receives_per_turn; ++i) {
    if (listener_->receive(buffer_, received) != outside::RecvResult::ok) break;
    Mapping& mapping = mapping_of(received.from);
    mapping.used = now;
    up_.take(received, {mapping.source, {options_.target, {}}}, now);
  }
}

void Proxy::pass_down(const Mapping& mapping, Time now) {
  outside::Received received;
  for (int i = 0; i < receives_per_turn; ++i) {
    if (mapping.source->receive(buffer_, received) != outside::RecvResult::ok) break;
    // Like a NAT: only datagrams of the target pass.
    if (received.from.remote == options_.target) {
      down_.take(received, {listener_, mapping.client}, now);
    }
  }
}

std::string Proxy::execute(const std::vector<std::string>& command) {
  if (command == std::vector<std::string>{"stats"}) return stats();
  if (command == std::vector<std::string>{"rebind"}) {
    rebind();
    return "";
  }
  auto word = command.begin();
  const bool both = word == command.end() || (*word != "up" && *word != "down");
  const bool up = both || *word == "up";
  const bool down = both || *word == "down";
  if (!both) ++word;
  // A command with an error changes nothing.
  auto wanted_up = up_.impairments();
  auto wanted_down = down_.impairments();
  if (word == command.end()) throw UsageError("a command is missing: see impair --help");
  while (word != command.end()) {
    const auto name = *word++;
    if (name == "clear") {
      if (up) wanted_up = {};
      if (down) wanted_down = {};
      continue;
    }
    if (word == command.end()) throw UsageError("'" + name + "' needs a value");
    const auto value = *word++;
    if (up) apply_setting(wanted_up, name, value, options_.target.address.is_v4());
    if (down) apply_setting(wanted_down, name, value, options_.listen.address.is_v4());
  }
  up_.impairments() = wanted_up;
  down_.impairments() = wanted_down;
  return "";
}

std::string Proxy::stats() const {
  const bool is_used = !mappings_.empty();
  const std::string client = is_used ? mappings_.front().client.remote.to_string() : "";
  const auto& source = is_used ? mappings_.front().source : next_source_;
  const nlohmann::ordered_json json = {{"up", to_json(up_)},
                                       {"down", to_json(down_)},
                                       {"client", client},
                                       {"source", source->local().to_string()},
                                       {"rebinds", rebinds_}};
  return json.dump() + "\n";
}

}  // namespace routevpn::test
