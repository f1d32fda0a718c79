#include "routevpn/datapath/sparse_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/inside/flow_hash.hpp"

namespace routevpn::datapath {
namespace {

// So that the queue is read to its end.
constexpr std::size_t calls_per_turn = 1024;
static_assert(calls_per_turn > inside::queue_packets);
constexpr std::size_t bytes_per_turn = std::size_t{512} * 1024;

}  // namespace

SparseLoop::SparseLoop(LaneCounters& counters, LaneEnds& ends, FlowClasses& classes,
                       const OuterClass& outer_class, std::function<void()> wake_lane)
    : counters_(counters),
      ends_(ends),
      classes_(classes),
      wake_lane_(std::move(wake_lane)),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      lane_(counters, ends.tun.has_udp_offload(), outer_class),
      steering_(ends.sparse_queue->steering),
      inside_buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(buffer_bytes)),
      outside_buffer_(
          std::make_unique_for_overwrite<std::uint8_t[]>(ReceivedBatch::most_received)) {
  static_assert(inside::Steering::slots == std::size_t{1} << FlowClasses::slot_bits);
  if (!wakeup_) throw system_error("eventfd");
}

void SparseLoop::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  wake();
}

void SparseLoop::wake() const {
  eventfd_write(wakeup_.get(), 1);  // fails if the counter is full: then a wakeup is pending
}

void SparseLoop::run() {
  Wanted wants = turn(false, false, false);
  while (!stopping_.load(std::memory_order_relaxed)) {
    std::array<pollfd, 3> fds{{{wakeup_.get(), POLLIN, 0},
                               {wants.outside ? ends_.sparse->fd() : -1, POLLIN, 0},
                               {wants.inside ? ends_.sparse_queue->tun.fd() : -1, POLLIN, 0}}};
    if (ppoll(fds.data(), fds.size(), nullptr, nullptr) < 0) continue;
    eventfd_t wakeups = 0;
    if (fds[0].revents != 0) eventfd_read(wakeup_.get(), &wakeups);
    wants = turn(fds[1].revents != 0, fds[2].revents != 0, (fds[1].revents & POLLERR) != 0);
  }
}

// The kernel's error of a socket goes with receive() or take_errors(), depending on its kind.
SparseLoop::Wanted SparseLoop::turn(bool outside, bool inside, bool errors) {
  const Lock locked = lock();
  if (lane_.view().is_open()) {
    if (errors) take_socket_errors();
    if (outside) receive();
    // An inside host's answer is often there before write() returns.
    if (outside || inside) send_waiting();
    if (left_.count != 0) wake_lane_();
  }
  return wanted();
}

SparseLoop::Wanted SparseLoop::wanted() const {
  const bool open = lane_.view().is_open();
  return {open && !left_.is_full(), open && !queue_gone_};
}

void SparseLoop::take_socket_errors() {
  auto news = ends_.sparse->take_errors();
  if (errors_ && !news.too_big) news.too_big = errors_->too_big;
  if (errors_ && !news.undelivered) news.undelivered = errors_->undelivered;
  errors_ = news;
  wake_lane_();
}

void SparseLoop::set(const SparseView& view) {
  const bool was_open = lane_.view().is_open();
  lane_.set(view);
  if (was_open != view.is_open()) wake();
}

void SparseLoop::take_left(ReceivedBatch& empty) {
  if (left_.is_full()) wake();
  lane_handles_left_ = std::exchange(left_waits_, false);
  std::swap(left_, empty);
  has_left_.store(false, std::memory_order_relaxed);
}

bool SparseLoop::receive() {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < ReceivedBatch::most_parts; ++i) {
    if (left_.is_full() || bytes >= bytes_per_turn) break;
    outside::Received received;
    if (ends_.sparse->receive({outside_buffer_.get(), ReceivedBatch::most_received}, received) !=
        outside::RecvResult::ok) {
      return false;
    }
    bytes += received.data.size();
    split(received, read_clock());
    write_inside();
  }
  return true;
}

// Hands in the datagrams of one receive up to the first that is for the lane.
void SparseLoop::split(const outside::Received& received, Time at) {
  const std::size_t step = std::max<std::size_t>(received.segment_bytes, 1);
  const std::size_t size = received.data.size();
  std::size_t done = 0;
  while (!left_waits_ && !lane_handles_left_ && done < size) {
    const std::size_t bytes = std::min(step, size - done);
    if (!lane_.from_outside(received.data.subspan(done, bytes), received)) break;
    done += bytes;
  }
  if (done == size && size != 0) return;
  auto& part = left_.parts[left_.count];
  part = {received, at};
  part.received.data = {left_.free_memory(), size - done};
  std::ranges::copy(received.data.subspan(done), left_.free_memory());
  left_.add();
  left_waits_ = left_waits_ || received.from.remote == lane_.view().from.remote;
  has_left_.store(true, std::memory_order_relaxed);
}

void SparseLoop::write_inside() {
  const auto packets = lane_.join();
  for (const auto& packet : packets) {
    if (ends_.sparse_queue->tun.write(packet.iovecs) == inside::IoResult::ok) {
      lane_.count_written(packet);
    } else {
      counters_.drops.add(Drop::inside_write_failed, packet.packets);
    }
  }
}

void SparseLoop::send_waiting() {
  const Time now = read_clock();
  bool any = false;
  for (std::size_t i = 0; i < calls_per_turn; ++i) {
    std::size_t length = 0;
    const auto result = ends_.sparse_queue->tun.read({inside_buffer_.get(), buffer_bytes}, length);
    queue_gone_ = result == inside::IoResult::failed;
    if (result != inside::IoResult::ok) break;
    take_packet({inside_buffer_.get(), length}, now);
    any = true;
  }
  if (!any) return;
  send_batch();
  note_use(now);
}

void SparseLoop::take_packet(Bytes whole, Time now) {
  if (whole.size() < inside::virtio_net_header_bytes || hold_back(whole)) return;
  const Bytes packet = whole.subspan(inside::virtio_net_header_bytes);
  const auto verdict = classes_.classify(packet, true, now);
  // The kernel steers by the same hash, so only packets with a slot come here.
  if (!verdict.slot) return counters_.drops.add(Drop::inside_not_ip);
  inside::VirtioNetHeader header;
  std::memcpy(&header, whole.data(), sizeof header);
  if (!lane_.from_inside(header, packet)) return hold(whole, *verdict.slot);
  // The packets that wait in this queue still go the sparse way, ahead of those of the other queue.
  if (!verdict.sparse) steering_.steer(*verdict.slot, false);
  if (lane_.must_flush()) send_batch();
}

void SparseLoop::hold(ConstBytes whole, FlowClasses::Slot slot) {
  if (!held_.add(whole, slot)) return counters_.drops.add(Drop::inside_queue_full);
  if (!holds_.exchange(true, std::memory_order_relaxed)) wake_lane_();
}

bool SparseLoop::hold_back(ConstBytes whole) {
  if (whole.size() < inside::virtio_net_header_bytes) return false;
  const auto hash = inside::flow_hash(whole.subspan(inside::virtio_net_header_bytes));
  if (!hash) return false;
  const auto slot = static_cast<FlowClasses::Slot>(inside::Steering::slot_of(*hash));
  if (!held_.holds(slot)) return false;
  hold(whole, slot);
  return true;
}

void SparseLoop::released() {
  for (const auto& packet : held_.released()) {
    if (!held_.holds(packet.slot) && !classes_.was_sparse(packet.slot)) {
      steering_.steer(packet.slot, false);
    }
  }
  holds_.store(!held_.empty(), std::memory_order_relaxed);
}

void SparseLoop::drop_held() {
  counters_.drops.add(Drop::inside_queue_full, held_.drop_all());
  holds_.store(false, std::memory_order_relaxed);
}

void SparseLoop::steer(std::span<const FlowClasses::Slot> slots) {
  if (!lane_.view().is_open()) return;
  for (const FlowClasses::Slot slot : slots) {
    if (steering_.is_sparse(slot) || !classes_.was_sparse(slot)) continue;
    held_.hold(slot);
    steering_.steer(slot, true);
    holds_.store(true, std::memory_order_relaxed);
  }
}

void SparseLoop::send_batch() {
  for (const DatagramRun& run : lane_.seal()) send(run);
  lane_.sent();
}

// A lane may wait for room in the socket's buffer. Here the sender of a sparse flow has sent less
// than fits, so the packets are dropped.
void SparseLoop::send(const DatagramRun& run) {
  std::size_t sent = 0;
  const ConstBytes bytes(run.data, run.bytes);
  auto result = ends_.sparse->send(bytes, run.segment_bytes, run.to, sent, run.traffic_class);
  // The host may not have the address any more from which the socket is connected. The other socket
  // sends from the same port.
  while (result == outside::SendResult::failed && sent < run.bytes) {
    const std::size_t length = std::min(run.segment_bytes, run.bytes - sent);
    result = ends_.socket.send_one(bytes.subspan(sent, length), run.to, run.traffic_class);
    if (result != outside::SendResult::ok) break;
    sent += length;
    if (sent < run.bytes) result = outside::SendResult::failed;
  }
  lane_.count_sent(run, sent);
  if (sent == run.bytes) return;
  const bool busy = result == outside::SendResult::would_block;
  if (!busy) counters_.send_error.store(errno, std::memory_order_relaxed);
  counters_.drops.add(busy ? Drop::outside_busy : Drop::outside_send_failed,
                      run.datagrams(run.bytes - sent));
}

void SparseLoop::note_use(Time now) {
  if (now < lane_.view().request_at) return;
  if (!used_.exchange(true, std::memory_order_relaxed)) wake_lane_();
}

}  // namespace routevpn::datapath
