// The loop of a lane's thread: waits for packets, and makes the system calls for its Lane.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "routevpn/base/owned.hpp"
#include "routevpn/datapath/lane.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

class LaneLoop {
 public:
  // `mtu`: the interface's MTU in bytes; may change. `control_wakeup`: an eventfd that the lane
  // writes when the mailbox holds events or handshakes.
  LaneLoop(Mailbox& mailbox, LaneCounters& counters, const inside::Tun& tun,
           outside::UdpSocket& socket, const std::atomic<unsigned>& mtu, int control_wakeup,
           LanePolicy policy = {});

  void run();         // until stop()
  void wake() const;  // any thread, after it wrote commands
  void stop();        // any thread

 private:
  // 16 reads of 64 KiB take about 1 ms: enough small packets for long runs, and the other direction
  // waits no longer.
  static constexpr int reads_per_turn = 16;
  // More than reads, because a receive without UDP_GRO returns a single datagram.
  static constexpr int receives_per_turn = 128;

  bool outside_turn();
  void inside_turn();
  bool write_inside();
  void send_control();
  void send_batch();
  void continue_sending();

  Mailbox& mailbox_;
  LaneCounters& counters_;
  const inside::Tun& tun_;
  outside::UdpSocket& socket_;
  const std::atomic<unsigned>& mtu_;
  int control_wakeup_;
  Fd wakeup_;
  std::atomic<bool> stopping_{false};
  Lane lane_;

  std::unique_ptr<std::uint8_t[]> inside_buffer_;
  std::unique_ptr<std::uint8_t[]> outside_buffer_;
  // Runs that wait for room in the socket's buffer. Until they are sent, nothing is read from the
  // interface, so its queue fills and the inside senders slow down.
  std::span<const DatagramRun> unsent_;
  std::size_t unsent_offset_ = 0;  // in the first run, in bytes
  bool inside_gone_ = false;
};

}  // namespace routevpn::datapath
