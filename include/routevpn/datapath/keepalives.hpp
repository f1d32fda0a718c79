// Echo requests that a lane sends by itself, and those of the peer that it waits for. While all of
// them come in time the control thread need not wake for each: it learns of the replies with its
// next event, and of a missing one at once. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "routevpn/base/clock.hpp"

namespace routevpn::datapath {

// A command: an echo request now. It ends the series of an earlier command.
struct SendEcho {
  std::uint32_t sequence = 0;
  // Requests that follow, each `interval` after the one before, if that is answered within
  // `patience`. 0: the control thread waits for the reply.
  std::uint32_t more = 0;
  Duration interval{};
  Duration patience{};
  // From now on the peer's own requests are expected within this time of each other. 0: they are
  // not.
  Duration asked_within{};
};

// Events. A request of a series has no reply in time. The series has ended.
struct EchoMissing {
  std::uint32_t sequence = 0;
  Time sent{};
};
// No request of the peer came in time. Told once, until the next one comes or SendEcho.
struct RequestMissing {};

class Keepalives {
 public:
  void begin(const SendEcho& wanted, Time now);
  void end();
  // The peer has asked.
  void asked(Time now);
  // A reply has come to a request of this time. Whether that is the last one of the series, and was
  // not answered before.
  bool answers(std::uint32_t sequence, Time sent);
  // A series is in progress and its last request is answered, so this lane will send another.
  [[nodiscard]] bool goes_on() const { return series_due_ && !waits_; }

  [[nodiscard]] std::optional<Time> due() const;
  // At due(). A number is the sequence number of a request to send. If more is due, due() has
  // passed again.
  std::variant<std::monostate, std::uint32_t, EchoMissing, RequestMissing> take(Time now);

 private:
  SendEcho series_;  // `sequence` is that of the last request, `more` are left
  Time sent_{};      // the last request
  bool waits_ = false;
  std::optional<Time> series_due_;  // the end of the patience, or the next request
  std::optional<Time> asked_due_;
};

}  // namespace routevpn::datapath
