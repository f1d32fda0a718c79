// Two ends of a link in one process, on a simulated wire and the virtual clock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sim_end.hpp"
#include "sim/wire.hpp"

namespace routevpn::test {

class World {
 public:
  struct Settings {
    std::uint64_t seed = 1;
    datapath::RecordLimits limits{};
    Duration rekey = std::chrono::seconds(3600);
    Duration up_delay{};
    // As --keepalive 1000 --dead-after 3500.
    session::Detection detection =
        session::Detection::by_hand(std::chrono::seconds(1), std::chrono::milliseconds(3500));
    std::optional<Duration> initiator_rekey{};  // none: as the acceptor's
  };
  World(const Settings& settings, std::shared_ptr<const dtls::Identity> initiator,
        std::shared_ptr<const dtls::Identity> acceptor);

  // run_until() stops when the condition holds, or after `at_most`. Returns the condition.
  void run(Duration duration);
  template <typename Condition>
  bool run_until(Condition condition, Duration at_most) {
    const Time end = now + at_most;
    while (!condition() && now < end) step(end);
    return condition();
  }

  // End 0 is the initiator, end 1 the acceptor. kill() ends the process without close_notify.
  // crash() does, too, but its monitor sends the gasp 4 times in 150 ms, as monitor::Gasps does.
  // sleep() suspends the machine; the process keeps its state.
  void kill(int end);
  void crash(int end);
  void start(int end);
  // Another process takes over what this one hands over. No time passes.
  void hand_over(int end);
  void sleep(int end) { asleep_[end] = true; }
  void wake(int end);
  [[nodiscard]] bool alive(int end) const { return ends_[end] != nullptr; }
  [[nodiscard]] bool awake(int end) const { return ends_[end] != nullptr && !asleep_[end]; }

  // on: every datagram to this end is lost.
  void cut(int end, bool on = true) { cut_[end] = on; }
  bool sparse_is_cut = false;            // every datagram of the sparse flow is lost
  bool bulk_is_cut[2] = {false, false};  // every other datagram to this end
  // Returns true if it takes this datagram away from the wire, also one to an unknown address.
  std::function<bool(int from, const outside::Endpoint& to, ConstBytes datagram)> diverter;
  // Called with each datagram that an end sends, before the wire impairs it.
  std::function<void(int from, ConstBytes datagram)> observer;

  // Called with each datagram to an address that the peer never had. Without it such a datagram is
  // a violation.
  std::function<void(ConstBytes datagram)> to_stranger;

  SimEnd& initiator() { return *ends_[0]; }
  SimEnd& acceptor() { return *ends_[1]; }
  [[nodiscard]] bool carrier(int end) const { return ends_[end] && ends_[end]->carrier(); }
  [[nodiscard]] bool both_up() const { return carrier(0) && carrier(1); }
  std::optional<IpAddress> remembered;  // the acceptor's peer; a restart does not lose it
  // Violated invariants; empty: none.
  std::vector<std::string> violations;

  static constexpr Time begin{std::chrono::hours(1000)};
  Wire wire;
  Time now = begin;
  // Both ends send three inside packets per interval; nullopt: no traffic.
  std::optional<Duration> traffic_interval;
  std::size_t packet_bytes = 0;  // of each inside packet; 0: random, 60 to 1359
  bool icmp = true;  // the sender of a datagram above the wire's MTU gets an ICMP message

  // The initiator's NAT changes its port. Datagrams to the earlier port are lost.
  void rebind() { ++rebinds_; }
  void move() { rebinds_ += rebinds_of_move; }  // to another IP address
  [[nodiscard]] int rebinds() const { return rebinds_; }
  // The endpoint of an end as its peer sees it, after this number of rebinds. A move counts as
  // rebinds_of_move.
  static constexpr int rebinds_of_move = 1000;
  static outside::Endpoint address(int end, int rebinds = 0,
                                   datapath::UdpFlow flow = datapath::UdpFlow::bulk);

 private:
  void step(Time at_most);
  void send_gasps();

  struct Dying {
    session::KeepGasp gasp;
    int left = 0;
    Time due = Time::max();
  };
  Dying dying_[2];
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
