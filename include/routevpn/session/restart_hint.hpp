// How an acceptor that has lost its associations gets them back before its peer would notice: it
// answers data it has no keys for with an alert in epoch 0. Nobody has authenticated that, so it is
// a hint and no more: the initiator asks its peer for a sign of life, and when none comes makes a
// new association beside the one in use.
//
//     21 | fe fd | 0 0 | 0 0 0 0 0 0 | 0 2 | 2 20     alert, DTLS 1.2, epoch, sequence, length,
//                                                     fatal bad_record_mac (RFC 5246 section 7.2.2)
//
// It is shorter than any record it answers, and it answers no alert: nothing can be amplified or
// kept going by it. A plain DTLS peer drops it for its epoch, RFC 6347 section 4.1.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/datapath/mailbox.hpp"

namespace routevpn::session {

inline constexpr std::array<std::uint8_t, 15> restart_hint = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0,
                                                              0,  0,    0,    0, 2, 2, 20};
// At most one in this time is sent, to whomever, and at most one about an association is believed.
inline constexpr Duration restart_hint_interval = std::chrono::seconds(1);

static_assert(restart_hint.size() < datapath::least_data_record);

// No handshake is disturbed by it: OpenSSL never sends this alert where it has no keys.
inline bool is_restart_hint(ConstBytes datagram) {
  return std::ranges::equal(datagram, restart_hint);
}

}  // namespace routevpn::session
