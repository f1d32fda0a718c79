// The loop of a lane's second thread. It makes the system calls for its SparseLane.
//
// A lane with bulk data takes its processor for milliseconds, so a ping that waited for the lane
// would wait as long. The second thread sleeps most of the time, so the scheduler lets it run at
// once.
//
// Both threads may read the second queue and the sparse socket: whichever has the lock. These rules
// keep the order of a flow that changes its class:
//
// clang-format off
//   sparse to bulk, sender     The lane reads a packet from the first queue. Before it sends the
//                              packet, it sends what waits in the second queue.
//   sparse to bulk, receiver   The lane reads a datagram from the bulk socket. Before it hands the
//                              datagram in, it hands in what waits at the sparse socket.
//   bulk to sparse, sender     The lane steers a flow to the second queue when it has sent a sparse
//                              packet of it. The flow's next packets may still wait in the first
//                              queue. They take the sparse way, too. The first packets from the
//                              second queue are held until the lane has read the first queue:
//                              held_packets.hpp.
//   bulk to sparse, receiver   The lane answers an echo request after it has written inside all that
//                              came before, so the peer's flow changes later: flow_classes.hpp.
//   left to the lane           The second thread hands in nothing more before the lane has written
//                              inside what was left to it.
//   the view opens             No flow is steered to the second queue, and the queue is empty.
//   the view closes            The lane reads both queues and sends what was held, before it steers
//                              all flows to the first queue.
// clang-format on
//
// The kernel reads a slot just before it puts the packet into a queue. A packet that is between the
// two for longer than the lane needs for these steps would break the order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "routevpn/base/owned.hpp"
#include "routevpn/datapath/flow_classes.hpp"
#include "routevpn/datapath/held_packets.hpp"
#include "routevpn/datapath/lane_ends.hpp"
#include "routevpn/datapath/received_batch.hpp"
#include "routevpn/datapath/sparse_lane.hpp"
#include "routevpn/inside/steering.hpp"

namespace routevpn::datapath {

class SparseLoop {
 public:
  using Lock = std::unique_lock<std::recursive_mutex>;

  // `ends` has a sparse socket and a sparse queue. `wake_lane`: any thread may call it. Throws
  // SystemError.
  SparseLoop(LaneCounters& counters, LaneEnds& ends, FlowClasses& classes,
             const OuterClass& outer_class, std::function<void()> wake_lane);

  void run();   // until stop()
  void stop();  // any thread

  // What follows is for the lane's thread. Functions without a lock of their own need it.
  [[nodiscard]] Lock lock() { return Lock(mutex_); }
  void set(const SparseView& view);
  // Handles data. True: the socket may have more.
  bool receive();
  // Exchanges what is left to the lane for an empty batch. Until the lane has written it inside,
  // all that follows is left to the lane, too.
  void take_left(ReceivedBatch& empty);
  void left_is_handled() { lane_handles_left_ = false; }
  // Seals and sends what waits in the second queue.
  void send_waiting();
  // A packet of the second queue with its virtio-net header. Whether it is held.
  bool hold_back(ConstBytes whole);
  // Steers the flows of sparse packets to the second queue. The lane has sent those packets.
  void steer(std::span<const FlowClasses::Slot> slots);
  void steer_none() { steering_.steer_all(false); }
  void begin_pass() { held_.begin_pass(); }
  std::span<const HeldPackets::Packet> release() { return held_.release(); }
  void released();
  void drop_held();
  std::optional<outside::SocketErrors> take_errors() { return std::exchange(errors_, {}); }

  // Without the lock.
  [[nodiscard]] const inside::Steering& steering() const { return steering_; }
  [[nodiscard]] bool has_left() const { return has_left_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool holds() const { return holds_.load(std::memory_order_relaxed); }
  // Whether the flow has been used at SparseView::request_at or later, since the last call.
  bool take_used() { return used_.exchange(false, std::memory_order_relaxed); }

 private:
  static constexpr std::size_t buffer_bytes = inside::virtio_net_header_bytes + 65535;

  struct Wanted {
    bool outside = false;
    bool inside = false;
  };
  Wanted turn(bool outside, bool inside, bool errors);
  [[nodiscard]] Wanted wanted() const;
  void take_socket_errors();
  void split(const outside::Received& received, Time at);
  void write_inside();
  void take_packet(Bytes whole, Time now);
  void hold(ConstBytes whole, FlowClasses::Slot slot);
  void send_batch();
  void send(const DatagramRun& run);
  void note_use(Time now);
  void wake() const;

  LaneCounters& counters_;
  LaneEnds& ends_;
  FlowClasses& classes_;
  std::function<void()> wake_lane_;
  Fd wakeup_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> has_left_{false};
  std::atomic<bool> holds_{false};
  std::atomic<bool> used_{false};

  std::recursive_mutex mutex_;  // of what follows, of the second queue and of the sparse socket
  SparseLane lane_;
  inside::Steering steering_;
  std::unique_ptr<std::uint8_t[]> inside_buffer_;
  std::unique_ptr<std::uint8_t[]> outside_buffer_;
  ReceivedBatch left_;
  bool left_waits_ = false;  // left_ has something of the peer, which nothing may overtake
  bool lane_handles_left_ = false;
  bool queue_gone_ = false;
  HeldPackets held_;
  std::optional<outside::SocketErrors> errors_;
};

}  // namespace routevpn::datapath
