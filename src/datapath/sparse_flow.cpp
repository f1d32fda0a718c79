#include "routevpn/datapath/sparse_flow.hpp"

#include <algorithm>

namespace routevpn::datapath {

void SparseFlow::found(const outside::Endpoint& remote, std::size_t payload_bytes) {
  if (!remote_ || remote_->remote != remote.remote) payload_bytes_ = 0;
  remote_ = remote;
  payload_bytes_ = std::max(payload_bytes_, payload_bytes);
  unanswered_since_.reset();
}

void SparseFlow::resume(const std::optional<outside::Endpoint>& remote, std::size_t payload_bytes,
                        std::uint32_t next_sequence) {
  if (remote) found(*remote, payload_bytes);
  next_sequence_ = next_sequence;
}

void SparseFlow::lose() {
  remote_.reset();
  unanswered_since_.reset();
  payload_bytes_ = 0;
  candidates.clear();
}

bool SparseFlow::request_due(Time now) const {
  return now >= (is_late(now) ? requested_ + answer_time_ : request_at());
}

ControlMessage SparseFlow::request(std::size_t payload_bytes, Time now) {
  if (payload_bytes > control_message_bytes) {
    padded_sequence_ = next_sequence_;
    padded_bytes_ = payload_bytes;
    padded_at_ = now;
    padded_is_open_ = true;
  }
  requested_ = now;
  if (!unanswered_since_) {
    unanswered_since_ = now;
    unanswered_ = 0;
  }
  ++unanswered_;
  return {ControlMessage::Kind::sparse_request, next_sequence_++, stamp_of(now), 0};
}

// Modulo 2^64 and 2^32, because the peer chooses stamp and sequence.
std::optional<std::size_t> SparseFlow::answered(const ControlMessage& reply, Time now) {
  const std::uint64_t age = stamp_of(now) - reply.stamp;
  if (age >= static_cast<std::uint64_t>(lost_after.count())) return std::nullopt;
  if (reply.sequence == 0 || reply.sequence >= next_sequence_) return std::nullopt;
  const bool was_late = is_late(now);
  unanswered_since_.reset();
  answer_time_ = std::clamp<Duration>(3 * Duration(static_cast<Duration::rep>(age)),
                                      least_answer_time, most_answer_time);
  if (reply.sequence == padded_sequence_) {
    padded_is_open_ = false;
    padded_losses_ = 0;
    return padded_bytes_;
  }
  if (padded_is_open_ && reply.sequence > padded_sequence_ && now - padded_at_ > answer_time_) {
    padded_lost(was_late);
  }
  return control_message_bytes;
}

// A late answer can mean that the path was cut, for requests of every size.
void SparseFlow::padded_lost(bool was_late) {
  padded_is_open_ = false;
  padded_at_ = {};
  if (++padded_losses_ >= 2 || !was_late) {
    payload_bytes_ = std::min(payload_bytes_, control_message_bytes);
  }
}

}  // namespace routevpn::datapath
