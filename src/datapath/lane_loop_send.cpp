// The sends of a lane's loop.

#include <cerrno>

#include "routevpn/datapath/lane_loop.hpp"

namespace routevpn::datapath {

void LaneLoop::send_batch(Time now) {
  if (lane_.has_outbound()) send_waiting_of_second();
  seal_and_send(now);
}

void LaneLoop::seal_and_send(Time now) {
  unsent_ = lane_.seal(now);
  unsent_offset_ = 0;
  continue_sending();
  // A request of the sparse flow goes behind its data: data from an unknown address is answered
  // there before the address is proven.
  send_control();
}

void LaneLoop::continue_sending() {
  while (!unsent_.empty()) {
    const DatagramRun& run = unsent_.front();
    std::size_t sent = 0;
    const ConstBytes rest(run.data + unsent_offset_, run.bytes - unsent_offset_);
    const auto result = send(run, rest, sent);
    lane_.count_sent(run, sent);
    unsent_offset_ += sent;
    if (result == outside::SendResult::would_block) return;
    if (result == outside::SendResult::failed) {
      send_failed();
      unsent_offset_ += run.segment_bytes;  // skip the refused datagram
    }
    if (unsent_offset_ >= run.bytes) {
      unsent_ = unsent_.subspan(1);
      unsent_offset_ = 0;
    }
  }
  counters_.udp_segment.store(ends_.socket.segments(), std::memory_order_relaxed);
  lane_.sent();
}

// An acceptor's socket of the sparse flow may be connected from an address that this host no longer
// has. The other socket sends for it, from the same port. An initiator's datagrams are then of the
// bulk flow.
outside::SendResult LaneLoop::send(const DatagramRun& run, ConstBytes rest, std::size_t& sent) {
  const auto send_by = [&](outside::UdpSocket& socket) {
    last_used_fd_ = socket.fd();
    return socket.send(rest, run.segment_bytes, run.to, sent, run.traffic_class);
  };
  if (run.flow == UdpFlow::sparse && ends_.sparse) {
    const auto locked = lock_second();
    const auto result = send_by(*ends_.sparse);
    if (result != outside::SendResult::failed || sent != 0) return result;
  }
  return send_by(ends_.socket);
}

// The error is the one of the last send().
void LaneLoop::send_failed() {
  counters_.send_error.store(errno, std::memory_order_relaxed);
  lane_.drop(Drop::outside_send_failed);
}

void LaneLoop::send_control() {
  for (const DatagramRun& run : lane_.control_runs()) {
    std::size_t sent = 0;
    const auto result = send(run, {run.data, run.bytes}, sent);
    if (result == outside::SendResult::would_block) lane_.drop(Drop::outside_busy);
    if (result == outside::SendResult::failed) send_failed();
  }
  lane_.control_sent();
}

}  // namespace routevpn::datapath
