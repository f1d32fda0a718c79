// How many signatures the worker of a link may have.
#pragma once

#include <chrono>

#include "routevpn/base/rate_limit.hpp"
#include "routevpn/dtls/admission.hpp"

namespace routevpn::monitor {

// A handshake takes one signature, and each lane has an admission of its own: in one second, as
// many as all its buckets together. So the monitor refuses no handshake that an acceptor has begun.
// An initiator begins fewer.
constexpr Rate signature_rate(unsigned lanes) {
  using Admission = dtls::Admission;
  constexpr double per_second = Admission::total_rate.per_second +
                                Admission::first_contact_rate.per_second +
                                Admission::peer_rate.per_second;
  constexpr double burst = Admission::total_rate.burst + Admission::first_contact_rate.burst +
                           Admission::peer_rate.burst;
  const std::chrono::duration<double> interval(1 / (per_second * lanes));
  return {std::chrono::duration_cast<Duration>(interval),
          static_cast<int>(burst) * static_cast<int>(lanes)};
}

}  // namespace routevpn::monitor
