// What the monitor sends in a dead worker's name: for each lane a close_notify that the worker
// sealed in time (datapath::DyingGasp). The peer takes its carrier off at once instead of after
// dead detection. Datagrams get lost, so they are sent several times.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "routevpn/base/clock.hpp"
#include "routevpn/channel/messages.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::monitor {

struct Gasp {
  std::vector<std::uint8_t> datagram;  // empty: none
  outside::Endpoint to;
  bool operator==(const Gasp&) const = default;

  template <typename Io>
  friend void fields(Io& io, Gasp& gasp) {
    io(gasp.datagram, gasp.to);
  }
};

class Gasps {
 public:
  static constexpr int times = 4;
  static constexpr Duration interval = std::chrono::milliseconds(50);

  explicit Gasps(std::size_t lanes) : kept_(lanes), dying_(lanes) {}
  // Those of the monitor before: its kept().
  explicit Gasps(std::vector<Gasp> kept) : kept_(std::move(kept)), dying_(kept_.size()) {}

  // Of the worker that is alive, one for each lane.
  [[nodiscard]] const std::vector<Gasp>& kept() const { return kept_; }
  // False: no such lane, or a field out of its range.
  bool keep(const channel::KeepGasp& message);
  // The worker has died: the next send() sends what was kept. If a lane has no new gasp, the gasp
  // of the worker before is sent on: its peer may not have received one yet.
  void begin(Time now);
  [[nodiscard]] const std::optional<Time>& due() const { return due_; }

  using Sender =
      std::function<void(std::size_t lane, ConstBytes datagram, const outside::Endpoint& to)>;
  // Calls the sender for each lane when it is due.
  void send(Time now, const Sender& sender);
  // Without waiting for their times: the sockets are closed next.
  void send_all(const Sender& sender);

 private:
  std::vector<Gasp> kept_;
  std::vector<Gasp> dying_;  // apart, because the next worker keeps its own
  std::optional<Time> due_;
  int left_ = 0;
};

}  // namespace routevpn::monitor
