// Two links in one process on a simulated wire and a virtual clock: the sessions and lanes that the
// program runs, driven by hand.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routevpn/datapath/lane.hpp"
#include "routevpn/session/session.hpp"

#include "sim/wire.hpp"

namespace routevpn::test {

class World;

class SimEnd : private session::Surroundings {
 public:
  SimEnd(World& world, int number, session::SessionSettings settings,
         std::shared_ptr<const dtls::Identity> identity);

  void receive(std::vector<std::uint8_t> datagram, const outside::Endpoint& from);
  void receive(std::vector<std::uint8_t> datagram);  // from where the other end is now
  void send_packets(int count, std::size_t bytes);   // serials of their own
  void settle();  // runs commands, events and what is due, until nothing is left at this time
  void stop();
  [[nodiscard]] std::optional<Time> deadline() const;

  [[nodiscard]] bool carrier() const { return carrier_; }
  [[nodiscard]] Time heard() const { return counters_.last_heard.load(); }
  [[nodiscard]] std::uint64_t drops(Drop reason) const {
    return counters_.drops.get(reason) + control_drops_.get(reason);
  }
  session::Session& session() { return session_; }
  // Starts where another process of this end, killed, has left the packets' numbers.
  void continue_after(SimEnd& killed);

  std::uint64_t sent_packets = 0;
  std::uint64_t delivered_packets = 0;
  int carrier_changes = 0;
  unsigned path_mtu = 0;
  unsigned payload_bytes = 0;
  int path_mtu_changes = 0;

 private:
  void send_handshake(ConstBytes datagram, const outside::Endpoint& to) override;
  void command(datapath::LaneCommand command) override;
  void resolve(const session::PeerName& peer) override;
  void set_carrier(bool on) override;
  void state_changed(session::Phase, const session::Reason&) override {}
  void handshake_failed(const SocketAddress&, const dtls::HandshakeFailure&) override {}
  [[nodiscard]] Time last_heard() const override;
  [[nodiscard]] outside::RouteMtu route_mtu(const SocketAddress&) const override {
    return {1500, 1500};
  }
  [[nodiscard]] std::uint64_t large_datagrams() const override { return counters_.tx_large; }
  void path_mtu_changed(unsigned path_mtu, unsigned payload_bytes) override;

  void flush(std::span<const datapath::Run> runs);
  void send(ConstBytes datagram, const outside::Endpoint& to);
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

class World {
 public:
  struct Settings {
    std::uint64_t seed = 1;
    datapath::RecordLimits limits;
    Duration rekey = std::chrono::seconds(3600);
    Duration up_delay{};
    Duration dead_after = std::chrono::milliseconds(3500);
  };
  World(const Settings& settings, std::shared_ptr<const dtls::Identity> initiator,
        std::shared_ptr<const dtls::Identity> acceptor);

  // Runs for this long, or until the condition holds: whether it does.
  void run(Duration duration);
  template <typename Condition>
  bool run_until(Condition condition, Duration at_most) {
    const Time end = now + at_most;
    while (!condition() && now < end) step(end);
    return condition();
  }

  // The process of an end (0 initiates, 1 accepts) is killed without a word, and started again; or
  // its machine sleeps, and wakes again with what the process knew.
  void kill(int end);
  void start(int end);
  void sleep(int end) { asleep_[end] = true; }
  void wake(int end);
  [[nodiscard]] bool alive(int end) const { return ends_[end] != nullptr; }
  [[nodiscard]] bool awake(int end) const { return ends_[end] != nullptr && !asleep_[end]; }

  // Nothing arrives at this end any more, or again.
  void cut(int end, bool on = true) { cut_[end] = on; }
  // Sees each datagram that an end sends, before the wire does.
  std::function<void(int from, ConstBytes datagram)> observer;

  SimEnd& initiator() { return *ends_[0]; }
  SimEnd& acceptor() { return *ends_[1]; }
  [[nodiscard]] bool carrier(int end) const { return ends_[end] && ends_[end]->carrier(); }
  [[nodiscard]] bool both_up() const { return carrier(0) && carrier(1); }
  // What must never be: empty as long as all is well.
  std::vector<std::string> violations;

  Wire wire;
  Time now{std::chrono::hours(1000)};
  // Inside traffic from both ends, every so often; none: no traffic.
  std::optional<Duration> traffic_interval;
  std::size_t packet_bytes = 0;  // of each; 0: from 60 to 1359
  bool icmp = true;              // whoever sends what is larger than the wire's MTU hears of it

  // The initiator's NAT gives it another port: what is sent to the former one is lost.
  void rebind() { ++rebinds_; }
  [[nodiscard]] int rebinds() const { return rebinds_; }
  // As the other end sees it, after so many rebinds.
  static outside::Endpoint address(int end, int rebinds = 0);

 private:
  void step(Time at_most);

  session::SessionSettings settings_[2];
  std::shared_ptr<const dtls::Identity> identities_[2];
  std::unique_ptr<SimEnd> ends_[2];  // nullptr: killed
  std::unique_ptr<SimEnd> killed_[2];
  bool asleep_[2] = {false, false};
  bool cut_[2] = {false, false};
  Time next_traffic_{};
  int rebinds_ = 0;
};

inline session::SessionStatus status(SimEnd& end, const World& world) {
  return end.session().status(world.now);
}

}  // namespace routevpn::test
