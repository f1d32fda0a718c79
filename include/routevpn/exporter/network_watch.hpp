// Asks the exporters of all gateways of a network, in a thread of its own, while somebody wants to
// know. A gateway that is down delays nothing but the next question to itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "routevpn/base/clock.hpp"
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
  // A gateway that gave no answer is asked in every so many rounds.
  static constexpr unsigned rounds_of_silent = 5;
  // After the last call of states(), the questions end.
  static constexpr std::chrono::seconds interest{5};
  static constexpr AskLimits limits{std::chrono::milliseconds(800), 256UL * 1024,
                                    16UL * 1024 * 1024};

  explicit NetworkWatch(const Network& network);
  ~NetworkWatch();
  NetworkWatch(const NetworkWatch&) = delete;
  NetworkWatch& operator=(const NetworkWatch&) = delete;

  // The answer of /api/v1/network/states: one JSON object. `gateways` has, in the order of the
  // network, what each one's exporter said last: `links` and `interfaces` as in link_states.hpp,
  // `error`, and `fault`, which is "not_asked" for a gateway that was not asked yet or has no
  // exporter in the topology.
  std::string states();

 private:
  struct Gateway {
    std::optional<SocketAddress> exporter;
    HeardStates heard = {"[]", "[]", "not_asked", {}};
    unsigned rounds_to_wait = 0;
    bool is_silent = true;  // it did not answer the last question
    // Without it, the kernel chooses the source. While the own site is cut off, only that is
    // answered.
    bool has_source = true;
  };

  void run();
  // False: the watch ends.
  bool wait_for_interest(Time last_round);
  void ask_round();
  // That of this gateway's exporter: other gateways have a route to it, also those without a link
  // to this one. None: no gateway's address is an address of this namespace.
  [[nodiscard]] std::optional<IpAddress> source() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Gateway> gateways_;  // their number and addresses do not change
  std::optional<Time> wanted_;     // the last call of states()
  Duration slowest_{};             // answer of the last round; of the thread alone
  bool is_ending_ = false;
  std::thread thread_;  // from the first call of states() on
};

}  // namespace routevpn::exporter
