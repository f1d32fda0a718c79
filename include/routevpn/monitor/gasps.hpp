// What the monitor sends in a dead worker's name: for each lane a close_notify that the worker
// sealed in time (datapath::DyingGasp). The peer takes its carrier off at once instead of after
// dead detection. Datagrams get lost, so they are sent several times.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/channel/messages.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::monitor {

class Gasps {
 public:
  static constexpr int times = 4;
  static constexpr Duration interval = std::chrono::milliseconds(50);

  explicit Gasps(std::size_t lanes) : kept_(lanes), dying_(lanes) {}

  [[nodiscard]] const std::vector<channel::KeepGasp>& kept() const { return kept_; }
  // Of the worker that is alive. False: no such lane, or a field out of its range.
  bool keep(const channel::KeepGasp& message);
  // The worker has died: the next send() sends what was kept. If a lane has no new gasp, the gasp
  // of the worker before is sent on: its peer may not have received one yet.
  void begin(Time now);
  [[nodiscard]] const std::optional<Time>& due() const { return due_; }

  // Calls send(lane, datagram, endpoint) for each lane when it is due.
  template <typename Send>
  void send(Time now, Send send) {
    if (!due_ || now < *due_) return;
    for (std::size_t lane = 0; lane < dying_.size(); ++lane) {
      const auto& gasp = dying_[lane];
      if (gasp.length == 0) continue;
      send(lane, ConstBytes(gasp.bytes).first(gasp.length), endpoint_of(gasp));
    }
    due_ = --left_ > 0 ? std::optional(now + interval) : std::nullopt;
    if (!due_) std::ranges::fill(dying_, channel::KeepGasp{});
  }

 private:
  static outside::Endpoint endpoint_of(const channel::KeepGasp& gasp);

  std::vector<channel::KeepGasp> kept_;   // one for each lane
  std::vector<channel::KeepGasp> dying_;  // apart, because the next worker keeps its own
  std::optional<Time> due_;
  int left_ = 0;
};

}  // namespace routevpn::monitor
