// Messages of a worker: valid, and with fields that the monitor must refuse. For a link with one
// lane, IPv6 inside and an ECDSA key on P-256.
#pragma once

#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <vector>

#include "routevpn/channel/messages.hpp"

namespace routevpn::test {

template <typename T>
std::vector<std::uint8_t> bytes_of(const T& message) {
  std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(T::kind)};
  if constexpr (!std::is_empty_v<T>) {
    bytes.resize(1 + sizeof(T));
    std::memcpy(bytes.data() + 1, &message, sizeof(T));
  }
  return bytes;
}

channel::Announce some_news();
channel::Sign some_digest();
channel::Address some_peer();

// What a worker may send while it runs.
inline auto valid_messages() {
  using namespace channel;
  return std::tuple{
      SetCarrier{1}, SetMtu{1400}, IgnoreDeadRoutes{},           ResolvePeer{0, 0}, SignPart{1, {}},
      some_digest(), some_news(),  RememberPeer{0, some_peer()}, Alive{},           Ended{0}};
}

template <typename Use>
void for_each_valid(Use use) {
  std::apply([&](const auto&... message) { (use(message), ...); }, valid_messages());
}

struct BadMessage {
  std::vector<std::uint8_t> bytes;
  bool answered;  // by a refusal
};

std::vector<BadMessage> with_bad_fields();

}  // namespace routevpn::test
