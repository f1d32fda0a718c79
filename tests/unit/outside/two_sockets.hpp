// The two sockets of an acceptor's lane on one port, and senders of datagrams to it.
#pragma once

#include "private_network.hpp"

namespace routevpn::outside::testing {

inline constexpr std::uint16_t port = 7754;

inline UdpOptions options_of(const char* address) {
  UdpOptions options;
  if (address != nullptr) options.address = ip(address);
  options.port = port;
  return options;
}

// The two sockets of an acceptor's lane. Without an address they are bound to every address.
struct Lane {
  explicit Lane(const char* address)
      : first(UdpSocket::open(options_of(address))),
        second(UdpSocket::open_beside(first, options_of(address))) {}
  UdpSocket first;
  UdpSocket second;
};

// Sends from `own` to `lane`, an address of the lane.
struct Sender {
  Sender(const char* own, const char* lane, std::uint16_t own_port = 0)
      : socket(UdpSocket::open({ip(own), own_port})), from(own), to(lane) {}
  [[nodiscard]] SocketAddress address() const { return {ip(from), socket.local().port}; }
  UdpSocket socket;
  const char* from;
  const char* to;
};

inline std::string wait_for_either(const Lane& lane) {
  constexpr int deadline_ms = 10'000;
  std::array<pollfd, 2> poller{{{lane.first.fd(), POLLIN, 0}, {lane.second.fd(), POLLIN, 0}}};
  if (poll(poller.data(), poller.size(), deadline_ms) <= 0) return "neither";
  if (poller[0].revents != 0 && poller[1].revents != 0) return "both";
  return poller[0].revents != 0 ? "first" : "second";
}

// Which socket of the lane receives the next datagram of this sender.
inline std::string receiver_of(const Lane& lane, const Sender& sender) {
  const auto sent = pattern(10);
  if (sender.socket.send_one(sent, {{ip(sender.to), port}, {}}) != SendResult::ok) return "unsent";
  std::string which = wait_for_either(lane);
  if (which != "first" && which != "second") return which;
  const auto receipt = receive_all(which == "first" ? lane.first : lane.second, sent.size());
  const bool whole = receipt.bytes == sent && receipt.last.from.remote == sender.address();
  return whole ? which : which + ", altered";
}

// A hash of the addresses would send about half of these to each socket.
inline void expect_strangers_at_first(const Lane& lane, const char* from, const char* to) {
  for (int i = 0; i < 32; ++i) REQUIRE(receiver_of(lane, {from, to}) == "first");
}

struct Bound {
  const char* lane;  // nullptr: every address
  const char* from;
  const char* to;
};

inline const std::vector<Bound> all_bound = {
    {"0.0.0.0", "127.0.0.1", "127.0.0.1"},
    {"127.0.0.2", "127.0.0.1", "127.0.0.2"},
    {"::", "::1", "::1"},
    {"::1", "::1", "::1"},
    {nullptr, "127.0.0.1", "127.0.0.1"},
    {nullptr, "::1", "::1"},
};

}  // namespace routevpn::outside::testing
