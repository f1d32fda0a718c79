// The lane's second UDP flow. It carries sparse inner flows past the queue of the others: in the
// peer's socket, and in routers with a queue per flow. Needs ALPN routevpn/2.
//
// The initiator sends from a second port. The acceptor answers that port from its own one port, by
// a socket that is connected to it, so that the kernel sorts the datagrams. Both flows carry
// records of the same associations.
//
//     initiator                                   acceptor
//         | --- sparse_request, padded ------------> |   from the second port
//         | <-- echo_request, random, padded ------- |   a challenge, as in candidates.hpp
//         | --- echo_reply, "at second port" ------> |   the acceptor uses the flow from here on,
//         | <-- sparse_reply ----------------------- |   and the initiator from here on
//
// Either end asks again while it sends there. As long as an answer is late it sends everything the
// other way. The initiator also asks from time to time to keep the entries of NATs and firewalls.
// The padding shows what size of packet the flow carries.
//
// When the initiator roams, its first record from an unknown address can be of either flow. Its
// reply to the challenge says of which. It sends echo requests by the bulk flow only: one from the
// address of its sparse flow is challenged, too.
//
// If the sparse flow moves first, datagrams of the bulk flow are copied to its new address until
// the bulk flow is heard, for at most `copy_time`. So a move of both costs no datagram in between.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/datapath/candidates.hpp"
#include "routevpn/datapath/control_message.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

class SparseFlow {
 public:
  static constexpr Duration request_interval = std::chrono::seconds(1);
  static constexpr Duration padding_interval = std::chrono::seconds(15);
  static constexpr Duration least_answer_time = std::chrono::milliseconds(250);
  static constexpr Duration most_answer_time = std::chrono::seconds(2);
  // Until an answer is late, so that one lost request does not close the flow.
  static constexpr int requests_per_answer_time = 3;
  // Without an answer to so many requests, because an idle flow has one in 15 s.
  static constexpr Duration lost_after = std::chrono::seconds(10);
  static constexpr unsigned lost_requests = 3;

  // A roam changes the addresses of both flows, and the other flow follows within this time.
  static constexpr Duration roam_time = std::chrono::seconds(1);
  // Short, because the answers to copies hide that a bulk flow is dead. The initiator shows its
  // bulk flow every 20 ms.
  static constexpr Duration copy_time = std::chrono::milliseconds(100);

  // Where the peer was found; none: not found, or lost.
  [[nodiscard]] const std::optional<outside::Endpoint>& remote() const { return remote_; }
  // The largest payload of a record that the flow has carried.
  [[nodiscard]] std::size_t payload_bytes() const { return remote_ ? payload_bytes_ : 0; }
  // Whether datagrams may take the flow now.
  [[nodiscard]] bool is_open(Time now) const { return remote_ && !is_late(now); }

  // When it closes unless an answer comes before; none: nothing is asked.
  [[nodiscard]] std::optional<Time> late_at() const {
    if (!remote_ || !unanswered_since_) return std::nullopt;
    return *unanswered_since_ + answer_time_;
  }

  // The peer has answered there.
  void found(const outside::Endpoint& remote, std::size_t payload_bytes);
  void has_roamed(Time now) { roamed_at_ = now; }
  [[nodiscard]] bool has_just_roamed(Time now) const { return now - roamed_at_ < roam_time; }
  // It has moved, and where the bulk flow is now is not known.
  void begin_copies(Time now) { copies_end_ = now + copy_time; }
  void end_copies() { copies_end_ = {}; }
  [[nodiscard]] bool takes_copies(Time now) const { return remote_ && now < copies_end_; }
  void lose();
  // Continues the flow of another process.
  [[nodiscard]] std::uint32_t next_sequence() const { return next_sequence_; }
  void resume(const std::optional<outside::Endpoint>& remote, std::size_t payload_bytes,
              std::uint32_t next_sequence);
  // Whether remote() does not answer any more.
  [[nodiscard]] bool is_lost(Time now) const {
    return unanswered_since_ && now - *unanswered_since_ >= lost_after &&
           unanswered_ >= lost_requests;
  }

  // Whether a request is due, when a datagram has taken the flow or would have.
  [[nodiscard]] bool request_due(Time now) const;
  // When it is due while the flow is open.
  [[nodiscard]] Time request_at() const {
    return requested_ +
           (unanswered_since_ ? answer_time_ / requests_per_answer_time : request_interval);
  }
  void was_padded(Time now) { padded_at_ = now; }  // the challenge that the peer has answered
  // Whether the next request shall have padding: from time to time, and soon after one was lost.
  [[nodiscard]] bool padding_due(Time now) const { return now - padded_at_ >= padding_interval; }
  // The next request. `payload_bytes`: its length with the padding.
  ControlMessage request(std::size_t payload_bytes, Time now);
  // The payload's length of the request that this reply answers; none: it answers none of the last.
  std::optional<std::size_t> answered(const ControlMessage& reply, Time now);

  // Of an acceptor: the addresses that the flow may come from, the answer to a request from there,
  // which waits for the proof, and the length of the last challenge.
  Candidates candidates;
  struct Challenge {
    ControlMessage answer;
    std::size_t payload_bytes = 0;
  };
  Challenge challenge;

 private:
  [[nodiscard]] bool is_late(Time now) const {
    return unanswered_since_ && now - *unanswered_since_ > answer_time_;
  }

  void padded_lost(bool was_late);

  std::optional<outside::Endpoint> remote_;
  std::size_t payload_bytes_ = 0;
  Time roamed_at_{};
  Time copies_end_{};
  std::uint32_t next_sequence_ = 1;
  Time requested_{};
  std::optional<Time> unanswered_since_;  // the first request after the last answer
  unsigned unanswered_ = 0;               // requests since then
  Duration answer_time_ = least_answer_time;
  // The last request with padding.
  std::uint32_t padded_sequence_ = 0;
  std::size_t padded_bytes_ = 0;
  Time padded_at_{};
  bool padded_is_open_ = false;  // it has no answer
  unsigned padded_losses_ = 0;   // since the last answer to one
};

}  // namespace routevpn::datapath
