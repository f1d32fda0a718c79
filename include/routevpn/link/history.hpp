// The last changes of a link's state, for `routevpn show --history`.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "routevpn/base/clock.hpp"
#include "routevpn/session/failure.hpp"

namespace routevpn::link {

struct StateChange {
  Time at{};
  std::string state;  // up, connecting, down
  session::Reason reason;

  template <typename Io>
  friend void fields(Io& io, StateChange& change) {
    io(change.at, change.state, change.reason);
  }
};

class History {
 public:
  static constexpr std::size_t most = 32;

  void add(StateChange change) {
    if (changes_.size() == most) changes_.pop_front();
    changes_.push_back(std::move(change));
  }
  [[nodiscard]] const std::deque<StateChange>& changes() const { return changes_; }

  template <typename Io>
  friend void fields(Io& io, History& history) {
    io(history.changes_);
  }

 private:
  std::deque<StateChange> changes_;  // the oldest first
};

}  // namespace routevpn::link
