#include "routevpn/link/monitor_client.hpp"

#include <algorithm>
#include <cerrno>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

namespace routevpn::link {

using channel::Message, channel::ReceiveResult;

void MonitorClient::end() {
  const int error = errno;
  const bool has_ended = error == 0 || error == EPIPE || error == ECONNRESET;
  if (!has_ended) log_error(system_error("the pair with the monitor has failed", error).what());
  std::_Exit(static_cast<int>(Exit::failed));
}

bool MonitorClient::next(Message& message) {
  if (!later_.empty()) {
    message = std::move(later_.front());
    later_.pop_front();
    return true;
  }
  const auto result = channel_.receive(message);
  if (result == ReceiveResult::closed) end();
  return result == ReceiveResult::ok;
}

Message MonitorClient::wait_for_next() {
  Message message;
  if (channel_.receive(message, true) != ReceiveResult::ok) end();
  return message;
}

template <typename Answer>
Answer MonitorClient::answer() {
  for (;;) {
    auto message = wait_for_next();
    if (const auto found = message.as<Answer>()) return *found;
    later_.push_back(std::move(message));
  }
}

void MonitorClient::set_carrier(bool on) {
  tell(channel::SetCarrier{static_cast<std::uint8_t>(on ? 1 : 0)});
  answer<channel::CarrierSet>();
}

unsigned MonitorClient::set_mtu(unsigned bytes) {
  tell(channel::SetMtu{bytes});
  return answer<channel::MtuSet>().bytes;
}

std::size_t MonitorClient::sign(std::uint8_t key, const signer::SignRequest& request,
                                std::span<std::uint8_t> signature) {
  channel::Sign wanted{};
  wanted.key = key;
  wanted.scheme = static_cast<std::uint8_t>(request.scheme);
  wanted.digest = static_cast<std::uint8_t>(request.digest);
  ConstBytes rest = request.bytes;
  if (request.scheme != signer::SignScheme::ed25519) {
    if (rest.size() > wanted.bytes.size()) return 0;
    wanted.length = static_cast<std::uint8_t>(rest.size());
    std::ranges::copy(rest, wanted.bytes.begin());
    rest = {};
  }
  while (!rest.empty()) {
    channel::SignPart part{};
    const std::size_t bytes = std::min(rest.size(), part.bytes.size());
    part.length = static_cast<std::uint16_t>(bytes);
    std::ranges::copy(rest.first(bytes), part.bytes.begin());
    tell(part);
    rest = rest.subspan(bytes);
  }
  tell(wanted);
  const auto made = answer<channel::SignedDigest>();
  const std::size_t bytes = made.length;
  if (bytes > signature.size() || bytes > made.bytes.size()) return 0;
  std::copy_n(made.bytes.begin(), bytes, signature.begin());
  return bytes;
}

}  // namespace routevpn::link
