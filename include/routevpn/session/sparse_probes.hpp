// When an initiator asks for the sparse flow (datapath/sparse_flow.hpp). Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

class SparseProbes {
 public:
  // NATs and firewalls keep the entry of a UDP flow for 30 s at least (Linux: nf_conntrack_udp
  // timeout); RFC 4787 section 4.3 asks for 2 minutes.
  static constexpr Duration most_keepalive = std::chrono::seconds(15);
  static constexpr Duration least_keepalive = std::chrono::seconds(1);
  // Until the flow is found. A path that does not carry it costs one datagram per last_retry.
  static constexpr Duration first_retry = std::chrono::milliseconds(250);
  static constexpr Duration last_retry = std::chrono::seconds(60);

  // `keepalive`: between probes of a flow in use; within the limits above.
  explicit SparseProbes(Duration keepalive)
      : keepalive_(std::clamp(keepalive, least_keepalive, most_keepalive)) {}

  // With each association in use. `wanted`: this end asks, and the peer knows the flow.
  void begin(bool wanted, Time now) {
    retry_ = first_retry;
    due_ = wanted ? std::optional(now) : std::nullopt;
  }
  void end() {
    due_.reset();
    found_ = false;
  }
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  // At due(): a probe was sent.
  void sent(Time now) {
    due_ = now + (found_ ? keepalive_ : retry_);
    if (!found_) retry_ = std::min(2 * retry_, last_retry);
  }
  // The flow is in use, or not any more.
  void found(bool yes, Time now) {
    found_ = yes;
    retry_ = first_retry;
    if (due_) due_ = now + (found_ ? keepalive_ : retry_);
  }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, SparseProbes& probes) {
    io(probes.found_, probes.retry_, probes.due_);
  }

 private:
  Duration keepalive_;
  bool found_ = false;
  Duration retry_ = first_retry;
  std::optional<Time> due_;
};

}  // namespace routevpn::session
