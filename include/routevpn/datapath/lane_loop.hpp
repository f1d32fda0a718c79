// A lane's thread: the system calls at both ends of a packet's way, and the poll between them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routevpn/base/owned.hpp"
#include "routevpn/datapath/lane.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

class LaneLoop {
 public:
  // `mtu`: of the interface, in bytes; may change. `control_wakeup`: an eventfd that is written
  // when the mailbox has something for the control thread.
  LaneLoop(Mailbox& mailbox, LaneCounters& counters, const inside::Tun& tun,
           outside::UdpSocket& socket, const std::atomic<unsigned>& mtu, int control_wakeup,
           OuterClass outer_class = OuterClass());

  void run();         // until stop()
  void wake() const;  // any thread: there are commands
  void stop();        // any thread

 private:
  // Long enough that small packets gather to runs, short enough that the other direction waits for
  // little: 16 reads of 64 KiB take about a millisecond.
  static constexpr int reads_per_turn = 16;
  // Where nothing joined the datagrams, receives are as small as they are.
  static constexpr int receives_per_turn = 128;

  bool outside_turn(Time now);
  void inside_turn();
  bool write_inside();
  void send_control();
  void send_batch();
  void continue_sending();
  void wake_control() const;

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
  // What the socket would not take yet. Until it has, nothing more is read from the interface,
  // whose queue then pushes back on those who send.
  std::span<const DatagramRun> unsent_;
  std::size_t unsent_offset_ = 0;  // in the first of them
  bool inside_gone_ = false;
};

}  // namespace routevpn::datapath
