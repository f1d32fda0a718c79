#include "routevpn/datapath/lane_loop.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::datapath {
namespace {

constexpr std::size_t header_bytes = sizeof(inside::VirtioNetHeader);
constexpr std::size_t inside_buffer_bytes = header_bytes + 65535;
constexpr std::size_t most_received = 65536;                  // by one call, also with UDP_GRO
constexpr std::size_t batch_bytes = Lane::receive_bytes / 2;  // of one flow

}  // namespace

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
  static_assert(bytes_per_batch + most_received <= batch_bytes);
  if (!wakeup_) throw system_error("eventfd");
  for (Batch* const batch : {&bulk_, &sparse_}) {
    batch->memory = std::make_unique_for_overwrite<std::uint8_t[]>(batch_bytes);
  }
}

void LaneLoop::wake() const {
  eventfd_write(wakeup_.get(), 1);  // fails if the counter is full: then a wakeup is pending
}

void LaneLoop::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  wake();
}

void LaneLoop::run() {
  Time now = read_clock();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool blocked = !unsent_.empty();
    const auto wanted = [this, blocked](int fd) {
      return static_cast<short>(blocked && fd == last_used_fd_ ? POLLIN | POLLOUT : POLLIN);
    };
    const int bulk_fd = ends_.socket.fd();
    const int sparse_fd = ends_.sparse ? ends_.sparse->fd() : -1;
    std::array<pollfd, 4> fds{{{wakeup_.get(), POLLIN, 0},
                               {bulk_fd, wanted(bulk_fd), 0},
                               {sparse_fd, wanted(sparse_fd), 0},
                               {inside_gone_ || blocked ? -1 : ends_.tun.fd(), POLLIN, 0}}};
    const bool interrupted = !wait(fds, now);
    now = read_clock();
    if (interrupted) continue;
    eventfd_t wakeups = 0;
    if (fds[0].revents != 0) eventfd_read(wakeup_.get(), &wakeups);
    if ((fds[1].revents & POLLERR) != 0) take_errors(ends_.socket);
    if ((fds[2].revents & POLLERR) != 0) take_errors(*ends_.sparse);
    lane_.execute_commands(now);
    send_control();
    // An inside host's answer is often there before write() returns, so read without another poll.
    const bool answered =
        outside_turn((fds[1].revents & ~POLLOUT) != 0, (fds[2].revents & ~POLLOUT) != 0);
    if (const auto due = lane_.due(); due && now >= *due) {
      lane_.on_timer(read_clock());
      send_control();
    }
    if (blocked) continue_sending();
    if (fds[3].revents != 0 || (answered && fds[3].fd >= 0)) inside_turn();
    if (lane_.take_wake() || !mailbox_.handshakes.empty()) eventfd_write(control_wakeup_, 1);
  }
}

// False: it was interrupted. `now` may be that of the last turn, whose packets then delay a
// keepalive by as much as the turn took.
bool LaneLoop::wait(std::span<pollfd> fds, Time now) const {
  std::optional<Duration> longest;
  if (const auto due = lane_.due()) longest = std::max(*due - now, Duration::zero());
  if (bulk_.count != 0) longest = Duration::zero();
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
  hand_in(sparse_, UdpFlow::sparse);
  hand_in(bulk_, UdpFlow::bulk);
  write_inside();
  if (unsent_.empty()) return;
  continue_sending();
  for (const DatagramRun& run : unsent_) {
    const std::size_t left = run.bytes - std::min(run.bytes, std::exchange(unsent_offset_, 0));
    lane_.drop(Drop::outside_busy, (left + run.segment_bytes - 1) / run.segment_bytes);
  }
  unsent_ = {};
}

void LaneLoop::take_errors(const outside::UdpSocket& socket) {
  constexpr Rate reports{std::chrono::milliseconds(10), 4};
  const auto news = socket.take_errors();
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
  while ((bulk || sparse || bulk_.count != 0) && bytes < bytes_per_turn && calls < calls_per_turn) {
    if (bulk && bulk_.count == 0) bulk = gather(ends_.socket, bulk_);
    sparse = ends_.sparse && gather(*ends_.sparse, sparse_);
    if (bulk_.count + sparse_.count == 0) break;
    // The control thread installs keys before it sends the flight that lets the peer use them.
    // So after a receive the commands with the keys for it are in the mailbox.
    if (!mailbox_.commands.empty()) lane_.execute_commands(read_clock());
    bytes += sparse_.bytes;
    calls += sparse_.count;
    hand_in(sparse_, UdpFlow::sparse);
    if (!sparse || bulk_has_waited()) {
      bytes += bulk_.bytes;
      calls += bulk_.count;
      hand_in(bulk_, UdpFlow::bulk);
    }
    written = write_inside() || written;
  }
  return written;
}

bool LaneLoop::bulk_has_waited() const {
  return bulk_.count != 0 && read_clock() - bulk_.parts[0].at >= most_bulk_wait;
}

// Gathers several receives, so that single datagrams also become super-packets. True: the socket
// may have more.
bool LaneLoop::gather(const outside::UdpSocket& socket, Batch& batch) {
  while (batch.count < calls_per_batch && batch.bytes < bytes_per_batch) {
    auto& part = batch.parts[batch.count];
    if (socket.receive({batch.memory.get() + batch.bytes, most_received}, part.received) !=
        outside::RecvResult::ok) {
      return false;
    }
    part.at = read_clock();
    batch.bytes += part.received.data.size();
    ++batch.count;
  }
  return true;
}

void LaneLoop::hand_in(Batch& batch, UdpFlow flow) {
  for (std::size_t i = 0; i < batch.count; ++i) {
    lane_.from_outside(batch.parts[i].received, batch.parts[i].at, flow);
    send_control();
  }
  batch.count = batch.bytes = 0;
}

bool LaneLoop::write_inside() {
  const auto packets = lane_.join();
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
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < calls_per_turn && bytes < bytes_per_turn && unsent_.empty(); ++i) {
    std::size_t length = 0;
    const auto result = ends_.tun.read({inside_buffer_.get(), inside_buffer_bytes}, length);
    if (result == inside::IoResult::failed) {
      inside_gone_ = lane_.announce(0, InterfaceGone{});
    }
    if (result != inside::IoResult::ok) break;
    bytes += length;
    if (length < header_bytes) continue;
    inside::VirtioNetHeader header;
    std::memcpy(&header, inside_buffer_.get(), header_bytes);
    lane_.from_inside(header, {inside_buffer_.get() + header_bytes, length - header_bytes},
                      mtu_.load(std::memory_order_relaxed), now);
    if (lane_.must_flush()) send_batch(now);
  }
  if (unsent_.empty()) send_batch(now);
}

void LaneLoop::send_batch(Time now) {
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
