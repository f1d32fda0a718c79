// One end of a simulated link: the session and the lane of the real program. World runs them
// instead of threads.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "routevpn/datapath/lane.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::test {

class World;

class SimEnd {
 public:
  SimEnd(World& world, int number, session::SessionSettings settings,
         std::shared_ptr<const dtls::Identity> identity);

  void receive(std::vector<std::uint8_t> datagram, const outside::Endpoint& from,
               datapath::UdpFlow flow = datapath::UdpFlow::bulk);
  void receive(std::vector<std::uint8_t> datagram);  // from the other end's current address
  void send_packets(int count, std::size_t bytes);   // each with a new serial
  // Runs commands, events and timers until none is due at the current time.
  void settle();
  void stop();
  // This end moves to another process, which is `successor`. False: there was no state to move.
  bool hand_over(SimEnd& successor);
  void replace_identity(std::shared_ptr<const dtls::Identity> identity);
  [[nodiscard]] std::optional<Time> deadline() const;

  [[nodiscard]] bool carrier() const { return carrier_; }
  [[nodiscard]] Time last_heard() const { return counters_.last_heard.load(); }
  [[nodiscard]] std::uint64_t sent_sparse() const { return counters_.tx_sparse.load(); }
  [[nodiscard]] std::uint64_t drops(Drop reason) const {
    return counters_.drops.get(reason) + control_drops_.get(reason);
  }
  session::Session& session() { return session_; }
  // Takes over serials and delivered packets from the killed process of this end.
  void inherit_counts(SimEnd& killed);

  session::KeepGasp gasp;                    // for a monitor
  std::optional<SocketAddress> sparse_peer;  // of an acceptor's socket for the sparse flow
  std::vector<session::TakenOver> takeovers;
  std::function<void()> retired = [] {};  // called for each association that the session retires
  std::uint64_t sent_packets = 0;
  std::uint64_t delivered_packets = 0;
  int carrier_changes = 0;
  int wakes = 0;  // of the control thread
  unsigned path_mtu = 0;
  unsigned payload_bytes = 0;
  int path_mtu_changes = 0;

 private:
  void drain();
  void carry_out(session::Output& output);
  void set_carrier(bool on);

  void flush(std::span<const datapath::DatagramRun> runs);
  void send(ConstBytes datagram, const outside::Endpoint& to,
            datapath::UdpFlow flow = datapath::UdpFlow::bulk, bool observed = true);
  void check_delivered(ConstBytes packet);

  World& world_;
  int number_;
  datapath::Mailbox mailbox_;
  datapath::LaneCounters counters_;
  DropCounters control_drops_;
  session::Session session_;
  datapath::Lane lane_;
  bool carrier_ = false;
  bool resolving_ = false;
  std::set<std::uint64_t> delivered_;
};

}  // namespace routevpn::test
