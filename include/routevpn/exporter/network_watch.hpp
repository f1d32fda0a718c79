// A thread asks the exporters of all gateways of a network. It stops some seconds after the last
// request for the states. A silent gateway delays no other gateway's answer.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/exporter/link_states.hpp"
#include "routevpn/exporter/network.hpp"

namespace routevpn::exporter {

class NetworkWatch {
 public:
  // Between the beginnings of two rounds of questions. A round ends when all have answered, or
  // after limits.time. The round after one in which all answered has less time: four times that of
  // the slowest answer, at least shortest_time.
  static constexpr std::chrono::milliseconds period{500};
  static constexpr std::chrono::milliseconds shortest_time{250};
  // A gateway is silent when it has missed two questions, since one packet may be lost: Linux
  // repeats a SYN after 1 s. The round after the first miss begins at once. A silent gateway is
  // asked in every so many rounds.
  static constexpr unsigned misses_of_silent = 2;
  static constexpr unsigned rounds_of_silent = 5;
  static constexpr std::chrono::seconds interest{5};  // after the last request for the states
  // An answer needs two round trips. A link has 150 bytes: there is room for 3,400 links of one
  // gateway, and for 110,000 ends of links in all.
  static constexpr AskLimits limits{std::chrono::milliseconds(800), 512UL * 1024,
                                    16UL * 1024 * 1024, 256};

  explicit NetworkWatch(const Network& network);
  ~NetworkWatch();
  NetworkWatch(const NetworkWatch&) = delete;
  NetworkWatch& operator=(const NetworkWatch&) = delete;

  // The answer of /api/v1/network/states: one JSON object. `version` is that of the network.
  // `gateways` has, in the order of the network, the latest answer of each exporter: `links` and
  // `interfaces` as in link_states.hpp, `at_ms`, the time of the answer on this machine's
  // monotonic clock, `fault` and `error`. `fault` is "not_asked" for a gateway that was not asked
  // yet or has no exporter in the topology.
  std::shared_ptr<const std::string> states();

 private:
  struct Gateway {
    std::optional<SocketAddress> exporter;
    ReportedStates latest = {"[]", "[]", "not_asked", {}};
    std::optional<Time> at = {};  // of the latest answer
    unsigned misses = misses_of_silent;
    unsigned rounds_to_wait = 0;
    // Without it, the kernel chooses the source. While the own site is cut off, only that is
    // answered.
    bool has_source = true;
  };

  void run();
  // False: the watch ends.
  bool wait_for_interest(Time last_round);
  void ask_round();
  [[nodiscard]] AskLimits limits_of(bool asks_silent) const;
  void take(Gateway& gateway, const Answer& answer);
  void forget();  // what was learnt before a pause
  // The address of this gateway's exporter. Gateways without a link to this one have a route to it,
  // too. None: the topology has no address of this namespace.
  [[nodiscard]] std::optional<IpAddress> source() const;

  std::string version_;
  Fd ending_;  // readable when the watch ends
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Gateway> gateways_;            // their number and addresses do not change
  std::shared_ptr<const std::string> text_;  // null: not made since the last change
  std::optional<Time> requested_;            // the last call of states()
  bool is_ending_ = false;
  // Of the thread alone.
  Duration slowest_{};    // answer of the last round
  bool repeats_ = false;  // a gateway has missed its first question
  std::thread thread_;    // from the first call of states() on
};

}  // namespace routevpn::exporter
