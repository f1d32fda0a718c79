// The link moves to another worker: the old one stops its lanes and writes their state, the new one
// reads it and continues. Meanwhile packets wait in the sockets and in the interface's queue.

#include <array>

#include <sys/prctl.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/link/link.hpp"

namespace routevpn::link {

// --- lane ---

void LaneControl::halt() {
  end_threads();
  loop_.finish();
}

void LaneControl::write_state(FieldWriter& into, Time now) {
  auto counts = datapath::LaneCounts::of(counters_);
  std::array<std::uint64_t, drop_count> drops{};
  for (std::size_t i = 0; i < drop_count; ++i) drops[i] = control_drops_.get(static_cast<Drop>(i));
  bool resumes = session_.begin_hand_over(now);
  into(counts, drops, serves_inside_, resumes);
  if (!resumes) return;
  auto lane = loop_.lane().hand_over();
  bool has_path = path_.has_value();
  auto path = path_.value_or(session::PathMtuChanged{});
  into(lane, session_, wants_carrier_, has_path, path.path_mtu, path.payload_bytes);
}

void LaneControl::resume(FieldReader& from, Time now) {
  datapath::LaneCounts counts;
  std::array<std::uint64_t, drop_count> drops{};
  bool resumes = false;
  from(counts, drops, serves_inside_, resumes);
  counts.restore(counters_);
  for (std::size_t i = 0; i < drop_count; ++i) control_drops_.add(static_cast<Drop>(i), drops[i]);
  if (!resumes) return start(now);
  datapath::LaneState lane;
  bool has_path = false;
  session::PathMtuChanged path{};
  from(lane, session_, wants_carrier_, has_path, path.path_mtu, path.payload_bytes);
  if (has_path) path_ = path;
  loop_.lane().resume(lane, now);
  tell_wall_clock(now);
  session_.resume(now);
}

// --- link ---

// The kernel no longer ends this process with the monitor. The pair does: when its other end has no
// copy, in a monitor or in the service manager, MonitorClient ends the process.
void Link::outlive() {
  if (start_.may_outlive == 0 || prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) != 0) return;
  monitor_.tell(channel::Outlives{});
}

void Link::hand_over() {
  Time stopped_at = read_clock();
  for (const bool first : {true, false}) {
    for (const auto& lane : lanes_) {
      lane->halt();
      if (!first) continue;
      take_events(*lane);
      drain(*lane);
    }
  }
  handed_over_ = true;
  loop_.end_turn();  // the lanes have halted, so nothing may be handed to them
  const Time now = read_clock();
  const Bytes memory = memory_.bytes();
  FieldWriter state(memory.subspan(state_header_bytes));
  state(stopped_at, carrier_, announced_, announced_at_, history_);
  for (const auto& lane : lanes_) lane->write_state(state, now);
  if (state.fits()) write_state_header(memory, state.bytes());
  memory_.unmap();
  if (!state.fits()) log_error("the state is too large to be handed over");
  monitor_.tell(channel::HandedOver{static_cast<std::uint8_t>(state.fits() ? 1 : 0)});
}

// The monitor sends this worker nothing else before.
void Link::take_over() {
  auto message = monitor_.wait_for_next();
  const auto given = message.as<channel::TakeOver>();
  if (!given || message.descriptors().size() != 1) {
    throw SystemError("the monitor gives no state to take over");
  }
  const Time now = read_clock();
  Time stopped_at{};
  {
    const StateCopy copy(message.descriptors().front());
    const auto content = state_content(copy.bytes());
    if (!content) throw SystemError("the state of the worker before is not valid");
    FieldReader state(*content);
    state(stopped_at, carrier_, announced_, announced_at_, history_);
    for (const auto& lane : lanes_) lane->resume(state, now);
    if (!state.complete()) throw SystemError("the state of the worker before has other fields");
  }
  for (const auto& lane : lanes_) lane->release();
  const auto paused = std::chrono::round<std::chrono::microseconds>(read_clock() - stopped_at);
  adapt_mtu();
  for (const auto& lane : lanes_) {
    lane->session().recheck_peer(*identity_, given->new_credentials != 0, read_clock());
    drain(*lane);
  }
  log_info("the link of the worker before goes on",
           {{"paused_us", std::to_string(paused.count())}});
  control_socket_.publish();
}

}  // namespace routevpn::link
