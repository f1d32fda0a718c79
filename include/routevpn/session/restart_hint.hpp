// The restart hint: an acceptor that has lost its associations answers data for which it has no
// keys with an alert in epoch 0. So the initiator learns of the restart before dead-after passes.
// The hint is not authenticated, so it decides nothing: the initiator sends an echo request, and
// only when no authentic record answers it makes a new association beside the one in use.
//
// clang-format off
//     21 | fe fd    | 0 0   | 0 0 0 0 0 0 | 0 2    | 2     | 20
//     ---+----------+-------+-------------+--------+-------+----------------
//     alert DTLS 1.2  epoch   sequence      length   fatal   bad_record_mac   (RFC 5246 section 7.2.2)
// clang-format on
//
// The hint is shorter than every record it answers, and it answers no alert: it cannot amplify
// traffic or start a loop. In the envelope of a link with a PSK it is longer, so then it goes only
// to the peer's address. A plain DTLS peer drops it for its epoch (RFC 6347 section 4.1).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/mailbox.hpp"

namespace routevpn::session {

inline constexpr std::array<std::uint8_t, 15> restart_hint = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0,
                                                              0,  0,    0,    0, 2, 2, 20};
// An acceptor sends a network at most one hint in this time, and an initiator follows at most one.
inline constexpr Duration restart_hint_interval = std::chrono::seconds(1);

static_assert(restart_hint.size() < datapath::least_data_record);

// OpenSSL never sends this alert without keys, so no handshake can be mistaken for a hint.
inline bool is_restart_hint(ConstBytes datagram) {
  return std::ranges::equal(datagram, restart_hint);
}

// The acceptor's limit of hints. The peer's last address has a slot of its own: data of strangers
// does not delay the hint to the peer.
class HintLimit {
 public:
  // A flood from more networks costs strangers their hints, and nothing else.
  static constexpr std::size_t max_networks = 64;

  // False: this /24 (IPv6: /64) was given a hint less than restart_hint_interval ago, or the table
  // is full of networks that were.
  bool take(const IpAddress& source, bool is_peer, Time now) {
    const IpPrefix network = IpPrefix{source, source.is_v4() ? 24U : 64U}.network();
    Slot* slot = &peer_;
    if (!is_peer) {
      slot = std::ranges::find(slots_, network, &Slot::network);
      if (slot == slots_.end()) slot = std::ranges::min_element(slots_, {}, &Slot::next);
    }
    if (now < slot->next) return false;
    slot->network = network;
    slot->next = now + restart_hint_interval;
    return true;
  }

 private:
  struct Slot {
    IpPrefix network;
    Time next{};
  };
  std::array<Slot, max_networks> slots_{};
  Slot peer_;
};

// The initiator's check whether the peer still has the association in use.
class RestartCheck {
 public:
  static constexpr Duration least_wait = std::chrono::milliseconds(20);

  // False: a check is in progress, or one began less than restart_hint_interval ago.
  bool begin(Duration round_trip_timeout, Time now) {
    if (due_ || now < next_) return false;
    next_ = now + restart_hint_interval;
    since_ = now;
    due_ = now + std::max(round_trip_timeout, least_wait);
    return true;
  }
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  // Ends the check: whether the peer has been silent since it began.
  bool end(Time last_heard) {
    due_.reset();
    return last_heard <= since_;
  }
  void reset() {
    next_ = {};
    due_.reset();
  }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, RestartCheck& check) {
    io(check.since_, check.next_, check.due_);
  }

 private:
  Time since_{};
  Time next_{};
  std::optional<Time> due_;
};

}  // namespace routevpn::session
