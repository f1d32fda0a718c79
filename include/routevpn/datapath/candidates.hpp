// The addresses that the peer of an association may have moved to.
//
// The first copy of a record can arrive from any address: an attacker on the path can copy a record
// and send it faster. So an address becomes the endpoint only after a challenge: an echo request
// with random numbers, sent there, whose reply comes from there (RFC 9000 section 8.2). Until then
// datagrams to the endpoint are copied to the candidate, at most `amplification` times the bytes
// received from it (RFC 9000 section 8.1). So a peer that has moved misses nothing.
#pragma once

#include <array>
#include <cstdint>

#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/control_message.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

struct Candidate {
  outside::Endpoint endpoint;
  Time since{};              // its first newest record
  Time challenged{};         // last; Time{}: never
  std::uint64_t credit = 0;  // bytes that may still be sent there
  ControlMessage challenge;  // valid if it was challenged
};

class Candidates {
 public:
  static constexpr std::uint64_t amplification = 3;
  // Between challenges to an address. Each is caused by a record from there.
  static constexpr Duration retry = std::chrono::milliseconds(100);
  // A later reply proves nothing, because the peer may have left the address.
  static constexpr Duration reply_time = std::chrono::seconds(3);

  // A record of `bytes` bytes came from there, authentic and newer than all before.
  Candidate& heard(const outside::Endpoint& from, std::size_t bytes, Time now);
  // Such a record came from the endpoint: the peer has not moved.
  void heard_endpoint() { latest_is_current_ = false; }
  // The candidate that the newest record came from; nullptr: it came from the endpoint.
  [[nodiscard]] bool has_current() const { return latest_is_current_; }
  [[nodiscard]] Candidate* current() { return latest_is_current_ ? all_.data() : nullptr; }
  // Draws a challenge for a candidate, or repeats the last if its reply is still valid. Null: it is
  // too early for another, or there are no random numbers.
  static const ControlMessage* challenge(Candidate& candidate, Time now);
  // Whether `reply` from this address answers a challenge that was sent there.
  [[nodiscard]] bool proven_by(const ControlMessage& reply, const SocketAddress& from,
                               Time now) const;
  // Whether a reply from there can still prove it.
  [[nodiscard]] bool expects(const SocketAddress& address, Time now) const;
  // The peer uses that address for another flow: nothing is copied there, and the next challenge is
  // not earlier than `retry`.
  void set_aside(const SocketAddress& address);
  void clear();

 private:
  [[nodiscard]] std::size_t index_of(const SocketAddress& address) const;

  // More than one, because an attacker's copies must not displace the address that the peer has
  // moved to. The latest is first.
  std::array<Candidate, 4> all_{};
  std::size_t count_ = 0;
  bool latest_is_current_ = false;
};

}  // namespace routevpn::datapath
