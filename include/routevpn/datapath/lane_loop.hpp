// The loop of a lane's thread: waits for packets, and makes the system calls for its Lane.
//
// The bulk socket is read before the sparse one, and what came from the sparse one is handled
// first. So a datagram of the bulk flow never overtakes one of the sparse flow that was sent
// earlier, and one of the sparse flow waits for no more than the bulk data of one batch. A flood of
// the sparse socket holds back bulk data for most_bulk_wait: then the order is not kept.
//
// A lane with a second queue of the interface has a second thread for sparse flows:
// sparse_loop.hpp.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include <poll.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/datapath/lane.hpp"
#include "routevpn/datapath/lane_ends.hpp"
#include "routevpn/datapath/received_batch.hpp"
#include "routevpn/datapath/sparse_loop.hpp"

namespace routevpn::datapath {

class LaneLoop {
 public:
  // `mtu`: the interface's MTU in bytes; may change. `control_wakeup`: an eventfd that the lane
  // writes when the mailbox holds handshakes, or an event that the control thread must learn of
  // now.
  LaneLoop(Mailbox& mailbox, LaneCounters& counters, LaneEnds& ends,
           const std::atomic<unsigned>& mtu, int control_wakeup, LanePolicy policy = {});

  void run();  // until stop()
  // Whether a second thread calls run_second() beside it.
  [[nodiscard]] bool has_second() const { return second_.has_value(); }
  void run_second() { second_->run(); }
  void wake() const;  // any thread, after it wrote commands
  void stop();        // any thread, both loops

  // After run() has returned: handles what was received, executes commands, and sends what waits.
  // What the socket does not take is dropped.
  void finish();
  Lane& lane() { return lane_; }  // while run() does not run

 private:
  // A turn of one direction ends behind either. The bytes bound how long the other direction waits.
  // The calls are many, so that small packets make long runs.
  static constexpr std::size_t bytes_per_turn = std::size_t{512} * 1024;
  static constexpr std::size_t calls_per_turn = 128;
  static constexpr std::size_t inside_buffer_bytes = inside::virtio_net_header_bytes + 65535;
  // At 10 Gbit/s the 8 MiB that a socket holds are handled in 6.7 ms.
  static constexpr Duration most_bulk_wait = std::chrono::milliseconds(10);

  [[nodiscard]] bool wait(std::span<pollfd> fds, Time now) const;
  bool outside_turn(bool bulk, bool sparse);
  [[nodiscard]] bool bulk_has_waited() const;
  static bool gather(const outside::UdpSocket& socket, ReceivedBatch& batch);
  void report(const outside::SocketErrors& errors);
  void hand_in(ReceivedBatch& batch, UdpFlow flow);  // and empties it
  void inside_turn();
  void read_first_queue(Time now);
  bool read_inside(Time now);
  void from_inside(Bytes packet, Time now, bool keep_sparse = false);
  bool write_inside();

  // lane_loop_send.cpp
  void send_control();
  void send_batch(Time now);
  void seal_and_send(Time now);
  void continue_sending();
  outside::SendResult send(const DatagramRun& run, ConstBytes rest, std::size_t& sent);
  void send_failed();

  // lane_loop_second.cpp
  [[nodiscard]] SparseLoop::Lock lock_second();
  [[nodiscard]] bool second_carries() const { return second_view_.is_open(); }
  // There is work for inside_turn() without a packet in the first queue.
  [[nodiscard]] bool has_held() const {
    return second_ && (second_->holds() || sends_held_ || closing_ != Closing::none);
  }
  void update_second(Time now);
  bool prepare_opening(Time now);
  void take_from_second(Time now);
  bool gather_sparse();
  void left_is_handled();
  void send_waiting_of_second();
  void begin_pass();
  void end_pass(bool at_end, Time now);
  void send_held(Time now);
  bool read_second_queue(std::size_t& reads, Time now);
  void close_second(Time now);
  void finish_second(Time now);

  Mailbox& mailbox_;
  LaneCounters& counters_;
  LaneEnds& ends_;
  const std::atomic<unsigned>& mtu_;
  int control_wakeup_;
  Fd wakeup_;
  std::atomic<bool> stopping_{false};
  Lane lane_;

  std::optional<SparseLoop> second_;
  SparseView second_view_;  // that second_ has
  // The steps of sparse_loop.hpp after which the view is closed.
  enum class Closing : std::uint8_t { none, reads_both, reads_second };
  Closing closing_ = Closing::none;
  std::size_t closing_reads_ = 0;          // of the second queue, left of the step
  std::optional<std::size_t> pass_reads_;  // left of a pass: held_packets.hpp
  std::span<const HeldPackets::Packet> held_to_send_;
  bool sends_held_ = false;    // held_to_send_ and the batch are not sent yet
  bool handles_left_ = false;  // sparse_ is from SparseLoop::take_left()

  std::unique_ptr<std::uint8_t[]> inside_buffer_;
  ReceivedBatch bulk_;  // waits while the sparse socket has more
  ReceivedBatch sparse_;
  // Runs that wait for room in the socket's buffer. Until they are sent, nothing is read from the
  // interface, so its queue fills and the inside senders slow down.
  std::span<const DatagramRun> unsent_;
  std::size_t unsent_offset_ = 0;  // in the first run, in bytes
  int last_used_fd_ = -1;          // of the last send, which may wait for room
  bool inside_gone_ = false;
  RateLimit undelivered_;
};

}  // namespace routevpn::datapath
