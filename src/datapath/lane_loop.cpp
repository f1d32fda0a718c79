#include "routevpn/datapath/lane_loop.hpp"

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
constexpr std::size_t most_received = 65536;  // by one call, also with UDP_GRO

}  // namespace

LaneLoop::LaneLoop(Mailbox& mailbox, LaneCounters& counters, const inside::Tun& tun,
                   outside::UdpSocket& socket, const std::atomic<unsigned>& mtu, int control_wakeup,
                   LanePolicy policy)
    : mailbox_(mailbox),
      counters_(counters),
      tun_(tun),
      socket_(socket),
      mtu_(mtu),
      control_wakeup_(control_wakeup),
      wakeup_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      lane_(mailbox, counters, tun.has_udp_offload(), std::move(policy)),
      inside_buffer_(std::make_unique<std::uint8_t[]>(inside_buffer_bytes)),
      outside_buffer_(std::make_unique<std::uint8_t[]>(Lane::receive_bytes)) {
  if (!wakeup_) throw system_error("eventfd");
}

void LaneLoop::wake() const {
  eventfd_write(wakeup_.get(), 1);  // fails if the counter is full: then a wakeup is pending
}

void LaneLoop::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  wake();
}

void LaneLoop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    const bool blocked = !unsent_.empty();
    const auto out = static_cast<short>(blocked ? POLLIN | POLLOUT : POLLIN);
    std::array<pollfd, 3> fds{{{wakeup_.get(), POLLIN, 0},
                               {socket_.fd(), out, 0},
                               {inside_gone_ || blocked ? -1 : tun_.fd(), POLLIN, 0}}};
    if (poll(fds.data(), fds.size(), -1) <= 0) continue;  // interrupted
    const Time now = read_clock();
    eventfd_t wakeups = 0;
    if (fds[0].revents != 0) eventfd_read(wakeup_.get(), &wakeups);
    if ((fds[1].revents & POLLERR) != 0) {
      if (const auto news = socket_.take_errors()) lane_.announce(0, DatagramTooBig{*news});
    }
    lane_.execute_commands(now);
    send_control();
    // An inside host's answer is often there before write() returns, so read without another poll.
    const bool answered = (fds[1].revents & ~POLLOUT) != 0 && outside_turn();
    if (blocked) continue_sending();
    if (fds[2].revents != 0 || (answered && fds[2].fd >= 0)) inside_turn();
    if (!mailbox_.events.empty() || !mailbox_.handshakes.empty()) eventfd_write(control_wakeup_, 1);
  }
}

// Whether packets were written inside. Gathers receives up to Lane::receive_bytes, so that single
// datagrams also become super-packets. Each receive has its own time: a turn can take longer than a
// round trip, and the sender of an echo request measures that.
bool LaneLoop::outside_turn() {
  bool written = false;
  std::size_t used = 0;
  int batches = 0;
  for (int i = 0; i < receives_per_turn && batches < reads_per_turn; ++i) {
    outside::Received received;
    const auto result = socket_.receive({outside_buffer_.get() + used, most_received}, received);
    if (result != outside::RecvResult::ok) break;
    const Time now = read_clock();
    // The control thread installs keys before it sends the flight that lets the peer use them.
    // So after a receive the commands with the keys for it are in the mailbox.
    lane_.execute_commands(now);
    lane_.from_outside(received, now);
    send_control();
    used += received.data.size();
    if (used + most_received <= Lane::receive_bytes) continue;
    written = write_inside() || written;
    used = 0;
    ++batches;
  }
  return write_inside() || written;
}

bool LaneLoop::write_inside() {
  const auto packets = lane_.join();
  for (const auto& packet : packets) {
    if (tun_.write(packet.iovecs) == inside::IoResult::ok) {
      lane_.count_written(packet);
    } else {
      lane_.drop(Drop::inside_write_failed, packet.packets);
    }
  }
  return !packets.empty();
}

void LaneLoop::inside_turn() {
  for (int i = 0; i < reads_per_turn && unsent_.empty(); ++i) {
    std::size_t length = 0;
    const auto result = tun_.read({inside_buffer_.get(), inside_buffer_bytes}, length);
    if (result == inside::IoResult::failed) {
      inside_gone_ = lane_.announce(0, InterfaceGone{});
    }
    if (result != inside::IoResult::ok) break;
    if (length < header_bytes) continue;
    inside::VirtioNetHeader header;
    std::memcpy(&header, inside_buffer_.get(), header_bytes);
    lane_.from_inside(header, {inside_buffer_.get() + header_bytes, length - header_bytes},
                      mtu_.load(std::memory_order_relaxed));
    if (lane_.must_flush()) send_batch();
  }
  if (unsent_.empty()) send_batch();
}

void LaneLoop::send_batch() {
  unsent_ = lane_.seal();
  unsent_offset_ = 0;
  continue_sending();
}

void LaneLoop::continue_sending() {
  while (!unsent_.empty()) {
    const DatagramRun& run = unsent_.front();
    std::size_t sent = 0;
    const ConstBytes rest(run.data + unsent_offset_, run.bytes - unsent_offset_);
    const auto result = socket_.send(rest, run.segment_bytes, run.to, sent, run.traffic_class);
    lane_.count_sent(run, sent);
    unsent_offset_ += sent;
    if (result == outside::SendResult::would_block) return;
    if (result == outside::SendResult::failed) {
      lane_.drop(Drop::outside_send_failed);
      unsent_offset_ += run.segment_bytes;  // skip the refused datagram
    }
    if (unsent_offset_ >= run.bytes) {
      unsent_ = unsent_.subspan(1);
      unsent_offset_ = 0;
    }
  }
  counters_.udp_segment.store(socket_.segments(), std::memory_order_relaxed);
  lane_.sent();
}

void LaneLoop::send_control() {
  for (const DatagramRun& run : lane_.control_runs()) {
    std::size_t sent = 0;
    const auto result =
        socket_.send({run.data, run.bytes}, run.segment_bytes, run.to, sent, run.traffic_class);
    if (result == outside::SendResult::would_block) lane_.drop(Drop::outside_busy);
    if (result == outside::SendResult::failed) lane_.drop(Drop::outside_send_failed);
  }
  lane_.control_sent();
}

}  // namespace routevpn::datapath
