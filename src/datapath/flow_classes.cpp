#include "routevpn/datapath/flow_classes.hpp"

#include "routevpn/inside/flow_hash.hpp"

namespace routevpn::datapath {

namespace {

constexpr Duration time_of(std::uint64_t bytes) {
  return std::chrono::nanoseconds(bytes * 1'000'000'000 / FlowClasses::sparse_rate);
}
constexpr Duration burst_time = time_of(FlowClasses::sparse_burst);

}  // namespace

FlowClasses::Verdict FlowClasses::classify(ConstBytes packet, bool may, Time now) {
  const auto hash = inside::flow_hash(packet);
  const std::scoped_lock locked(lock_);
  if (!hash) {
    last_of_bulk_flow_ = now;
    return {};
  }
  const auto slot = static_cast<Slot>(inside::Steering::slot_of(*hash));
  Flow& flow = flows_[slot];
  const Duration cost = time_of(packet.size() + overhead_bytes);
  // A bulk flow owes no more than another burst, so that it is sparse again soon after its end.
  flow.idle_at = std::min(std::max(flow.idle_at, now) + cost, now + 2 * burst_time);
  const bool sends_little = flow.idle_at - now <= burst_time;
  const Duration longer = std::max(bulk_round_trip_ - sparse_round_trip_, Duration::zero());
  const bool quiet = last_of_bulk_flow_ < drained_ && now - flow.last_bulk >= quiet_gap + longer;
  flow.was_sparse = may && sends_little && (flow.last_bulk < drained_ || quiet);
  if (flow.was_sparse) return {true, slot};
  flow.last_bulk = now;
  if (!sends_little) last_of_bulk_flow_ = now;
  return {false, slot};
}

}  // namespace routevpn::datapath
