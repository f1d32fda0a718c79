// The loop of a lane's thread: waits for packets, and makes the system calls for its Lane.
//
// The bulk socket is read before the sparse one, and what came from the sparse one is handled
// first. So a datagram of the bulk flow never overtakes one of the sparse flow that was sent
// earlier, and one of the sparse flow waits for no more than the bulk data of one batch. A flood of
// the sparse socket holds back bulk data for most_bulk_wait: then the order is not kept.
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

namespace routevpn::datapath {

class LaneLoop {
 public:
  // `mtu`: the interface's MTU in bytes; may change. `control_wakeup`: an eventfd that the lane
  // writes when the mailbox holds handshakes, or an event that the control thread must learn of
  // now.
  LaneLoop(Mailbox& mailbox, LaneCounters& counters, LaneEnds& ends,
           const std::atomic<unsigned>& mtu, int control_wakeup, LanePolicy policy = {});

  void run();         // until stop()
  void wake() const;  // any thread, after it wrote commands
  void stop();        // any thread

  // After run() has returned: handles what was received, executes commands, and sends what waits.
  // What the socket does not take is dropped.
  void finish();
  Lane& lane() { return lane_; }  // while run() does not run

 private:
  // A turn of one direction ends behind either. The bytes bound how long the other direction waits.
  // The calls are many, so that small packets make long runs.
  static constexpr std::size_t bytes_per_turn = std::size_t{512} * 1024;
  static constexpr std::size_t calls_per_turn = 128;
  // A batch of received datagrams ends behind either.
  static constexpr std::size_t bytes_per_batch = std::size_t{64} * 1024;
  static constexpr std::size_t calls_per_batch = 64;
  // At 10 Gbit/s the 8 MiB that a socket holds are handled in 6.7 ms.
  static constexpr Duration most_bulk_wait = std::chrono::milliseconds(10);

  // What was received from one socket and is not handled yet.
  struct Batch {
    struct Part {
      outside::Received received;
      Time at;  // its own, because an echo's sender measures it
    };
    std::unique_ptr<std::uint8_t[]> memory;
    std::array<Part, calls_per_batch> parts;
    std::size_t count = 0;
    std::size_t bytes = 0;
  };

  [[nodiscard]] bool wait(std::span<pollfd> fds, Time now) const;
  bool outside_turn(bool bulk, bool sparse);
  [[nodiscard]] bool bulk_has_waited() const;
  static bool gather(const outside::UdpSocket& socket, Batch& batch);
  void take_errors(const outside::UdpSocket& socket);
  void hand_in(Batch& batch, UdpFlow flow);  // and empties it
  void inside_turn();
  bool write_inside();
  void send_control();
  void send_batch(Time now);
  void continue_sending();
  outside::SendResult send(const DatagramRun& run, ConstBytes rest, std::size_t& sent);
  void send_failed();

  Mailbox& mailbox_;
  LaneCounters& counters_;
  LaneEnds& ends_;
  const std::atomic<unsigned>& mtu_;
  int control_wakeup_;
  Fd wakeup_;
  std::atomic<bool> stopping_{false};
  Lane lane_;

  std::unique_ptr<std::uint8_t[]> inside_buffer_;
  Batch bulk_;  // waits while the sparse socket has more
  Batch sparse_;
  // Runs that wait for room in the socket's buffer. Until they are sent, nothing is read from the
  // interface, so its queue fills and the inside senders slow down.
  std::span<const DatagramRun> unsent_;
  std::size_t unsent_offset_ = 0;  // in the first run, in bytes
  int last_used_fd_ = -1;          // of the last send, which may wait for room
  bool inside_gone_ = false;
  RateLimit undelivered_;
};

}  // namespace routevpn::datapath
