#include "routevpn/datapath/lane_loop.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::datapath {

LaneLoop::LaneLoop(Mailbox& mailbox, LaneCounters& counters, LaneEnds& ends,
                   const std::atomic<unsigned>& mtu, int control_wakeup, LanePolicy policy)
    : mailbox_(mailbox),
      counters_(counters),
      ends_(ends),
      mtu_(mtu),
      control_wakeup_(control_wakeup),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      lane_(mailbox, counters, ends.tun.has_udp_offload(), std::move(policy)),
      inside_buffer_(std::make_unique<std::uint8_t[]>(inside_buffer_bytes)) {
  static_assert(2 * ReceivedBatch::memory_bytes <= Lane::receive_bytes);
  if (!wakeup_) throw system_error("eventfd");
  if (ends.sparse && ends.sparse_queue) {
    second_.emplace(counters, ends, lane_.classes(), lane_.outer_class(), [this] { wake(); });
    lane_.steered_by(second_->steering());
  }
}

void LaneLoop::wake() const {
  eventfd_write(wakeup_.get(), 1);  // fails if the counter is full: then a wakeup is pending
}

void LaneLoop::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  wake();
  if (second_) second_->stop();
}

void LaneLoop::run() {
  Time now = read_clock();
  if (second_) second_->steer_none();  // an earlier process may have steered flows
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool blocked = !unsent_.empty();
    const bool alone = !second_carries();
    const auto wanted = [this, blocked](int fd, bool receives) {
      const int out = blocked && fd == last_used_fd_ ? POLLOUT : 0;
      return static_cast<short>(receives ? POLLIN | out : out);
    };
    const int bulk_fd = ends_.socket.fd();
    int sparse_fd = ends_.sparse ? ends_.sparse->fd() : -1;
    const short of_sparse = wanted(sparse_fd, alone);
    if (of_sparse == 0) sparse_fd = -1;
    const bool reads = !inside_gone_ && !blocked;
    std::array<pollfd, 5> fds{
        {{wakeup_.get(), POLLIN, 0},
         {bulk_fd, wanted(bulk_fd, true), 0},
         {sparse_fd, of_sparse, 0},
         {reads ? ends_.tun.fd() : -1, POLLIN, 0},
         {reads && second_ && alone ? ends_.sparse_queue->tun.fd() : -1, POLLIN, 0}}};
    const bool interrupted = !wait(fds, now);
    now = read_clock();
    if (interrupted) continue;
    eventfd_t wakeups = 0;
    if (fds[0].revents != 0) eventfd_read(wakeup_.get(), &wakeups);
    if ((fds[1].revents & POLLERR) != 0) report(ends_.socket.take_errors());
    if ((fds[2].revents & POLLERR) != 0) {
      const auto locked = lock_second();
      report(ends_.sparse->take_errors());
    }
    if (!mailbox_.commands.empty()) {
      lane_.execute_commands(now);
      send_control();
      update_second(now);
    }
    if (wakeups != 0) take_from_second(now);
    // An inside host's answer is often there before write() returns, so read without another poll.
    const bool answered =
        outside_turn((fds[1].revents & ~POLLOUT) != 0, (fds[2].revents & ~POLLOUT) != 0);
    if (const auto due = lane_.due(); due && now >= *due) {
      lane_.on_timer(read_clock());
      send_control();
    }
    if (blocked) continue_sending();
    update_second(now);
    if (fds[3].revents != 0 || fds[4].revents != 0 || ((answered || has_held()) && reads)) {
      inside_turn();
    }
    if (lane_.take_wake() || !mailbox_.handshakes.empty()) eventfd_write(control_wakeup_, 1);
  }
}

// False: it was interrupted. `now` may be that of the last turn, whose packets then delay a
// keepalive by as much as the turn took.
bool LaneLoop::wait(std::span<pollfd> fds, Time now) const {
  std::optional<Duration> longest;
  const auto consider = [&](const std::optional<Time>& due) {
    if (!due) return;
    longest = std::min(longest.value_or(Duration::max()), std::max(*due - now, Duration::zero()));
  };
  consider(lane_.due());
  if (second_carries()) consider(lane_.sparse_view_until());
  if (bulk_.count != 0 || (has_held() && unsent_.empty() && !inside_gone_)) {
    longest = Duration::zero();
  }
  timespec timeout{};
  if (longest) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*longest);
    timeout = {seconds.count(), (*longest - seconds).count()};
  }
  return ppoll(fds.data(), fds.size(), longest ? &timeout : nullptr, nullptr) >= 0;
}

void LaneLoop::finish() {
  lane_.execute_commands(read_clock());
  send_control();
  if (second_) second_->take_left(sparse_);
  hand_in(sparse_, UdpFlow::sparse);
  hand_in(bulk_, UdpFlow::bulk);
  write_inside();
  if (!unsent_.empty()) continue_sending();
  finish_second(read_clock());
  for (const DatagramRun& run : unsent_) {
    const std::size_t left = run.bytes - std::min(run.bytes, std::exchange(unsent_offset_, 0));
    lane_.drop(Drop::outside_busy, run.datagrams(left));
  }
  unsent_ = {};
  lane_.sent();
}

void LaneLoop::report(const outside::SocketErrors& news) {
  constexpr Rate reports{std::chrono::milliseconds(10), 4};
  if (news.too_big) lane_.announce(0, DatagramTooBig{*news.too_big});
  if (news.undelivered && undelivered_.admit(read_clock(), reports)) {
    lane_.announce(0, DatagramUndelivered{*news.undelivered});
  }
}

// `bulk`, `sparse`: the socket may have datagrams. Whether packets were written inside.
bool LaneLoop::outside_turn(bool bulk, bool sparse) {
  bool written = false;
  std::size_t bytes = 0;
  std::size_t calls = 0;
  sparse = sparse || (second_ && second_->has_left());
  while ((bulk || sparse || bulk_.count != 0) && bytes < bytes_per_turn && calls < calls_per_turn) {
    if (bulk && bulk_.count == 0) bulk = gather(ends_.socket, bulk_);
    sparse = gather_sparse();
    if (bulk_.count + sparse_.count == 0 && !sparse) break;
    // The control thread installs keys before it sends the flight that lets the peer use them.
    // So after a receive the commands with the keys for it are in the mailbox.
    if (!mailbox_.commands.empty()) {
      lane_.execute_commands(read_clock());
      send_control();
      // It must not begin here: what was received before is not written yet.
      if (second_carries()) update_second(read_clock());
    }
    bytes += sparse_.bytes;
    calls += std::max<std::size_t>(sparse_.count, sparse ? ReceivedBatch::most_parts : 0);
    hand_in(sparse_, UdpFlow::sparse);
    if (!sparse || bulk_has_waited()) {
      bytes += bulk_.bytes;
      calls += bulk_.count;
      hand_in(bulk_, UdpFlow::bulk);
    }
    written = write_inside() || written;
    left_is_handled();
  }
  return written;
}

bool LaneLoop::bulk_has_waited() const {
  return bulk_.count != 0 && read_clock() - bulk_.parts[0].at >= most_bulk_wait;
}

// Gathers several receives, so that single datagrams also become super-packets. True: the socket
// may have more.
bool LaneLoop::gather(const outside::UdpSocket& socket, ReceivedBatch& batch) {
  while (!batch.is_full()) {
    auto& part = batch.parts[batch.count];
    if (socket.receive({batch.free_memory(), ReceivedBatch::most_received}, part.received) !=
        outside::RecvResult::ok) {
      return false;
    }
    part.at = read_clock();
    batch.add();
  }
  return true;
}

void LaneLoop::hand_in(ReceivedBatch& batch, UdpFlow flow) {
  for (std::size_t i = 0; i < batch.count; ++i) {
    lane_.from_outside(batch.parts[i].received, batch.parts[i].at, flow);
    if (lane_.control_runs().empty()) continue;
    if (second_) write_inside();  // the answer tells the peer that all before it is there
    send_control();
  }
  batch.clear();
}

bool LaneLoop::write_inside() {
  const auto packets = lane_.join();
  // An answer can be in the second queue before write() returns. If the peer seems to have moved,
  // the second thread must not send the answer to the old address.
  if (!packets.empty() && second_carries()) update_second(read_clock());
  for (const auto& packet : packets) {
    if (ends_.tun.write(packet.iovecs) == inside::IoResult::ok) {
      lane_.count_written(packet);
    } else {
      lane_.drop(Drop::inside_write_failed, packet.packets);
    }
  }
  return !packets.empty();
}

void LaneLoop::inside_turn() {
  const Time now = read_clock();
  if (sends_held_) send_held(now);
  if (!unsent_.empty()) return;
  if (closing_ != Closing::none) return close_second(now);
  if (second_ && !second_carries()) {
    std::size_t reads = calls_per_turn;
    if (!read_second_queue(reads, now)) return;
  }
  read_first_queue(now);
}

void LaneLoop::read_first_queue(Time now) {
  end_pass(false, now);  // what the socket did not take in the last turn is sent now
  if (!unsent_.empty()) return;
  begin_pass();
  const bool at_end = read_inside(now);
  if (unsent_.empty()) send_batch(now);
  if (unsent_.empty()) end_pass(at_end, now);
}

// True: the queue is empty.
bool LaneLoop::read_inside(Time now) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < calls_per_turn && bytes < bytes_per_turn && unsent_.empty(); ++i) {
    std::size_t length = 0;
    const auto result = ends_.tun.read({inside_buffer_.get(), inside_buffer_bytes}, length);
    if (result == inside::IoResult::failed) {
      inside_gone_ = lane_.announce(0, InterfaceGone{});
    }
    if (result != inside::IoResult::ok) return true;
    if (pass_reads_ && *pass_reads_ != 0) --*pass_reads_;
    bytes += length;
    from_inside({inside_buffer_.get(), length}, now);
    if (lane_.must_flush()) send_batch(now);
  }
  return false;
}

// `packet` begins with its virtio-net header.
void LaneLoop::from_inside(Bytes packet, Time now, bool keep_sparse) {
  if (packet.size() < inside::virtio_net_header_bytes) return;
  inside::VirtioNetHeader header;
  std::memcpy(&header, packet.data(), inside::virtio_net_header_bytes);
  lane_.from_inside(header, packet.subspan(inside::virtio_net_header_bytes),
                    mtu_.load(std::memory_order_relaxed), now, keep_sparse);
}

}  // namespace routevpn::datapath
