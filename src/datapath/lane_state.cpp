// A lane that ends, and its successor in another process.

#include "routevpn/datapath/lane_state.hpp"

#include <algorithm>

#include "routevpn/datapath/lane.hpp"

namespace routevpn::datapath {

namespace {

// In the order of LaneCounts::numbers.
template <typename Counters>
auto numbers_of(Counters& counters) {
  return std::array{&counters.rx_bytes,   &counters.rx_packets,    &counters.tx_bytes,
                    &counters.tx_packets, &counters.tx_fragmented, &counters.tx_large,
                    &counters.tx_sparse};
}

}  // namespace

LaneCounts LaneCounts::of(const LaneCounters& counters) {
  LaneCounts counts;
  std::ranges::transform(numbers_of(counters), counts.numbers.begin(),
                         [](const auto* number) { return number->load(); });
  counts.last_heard = counters.last_heard.load();
  counts.last_asked = counters.last_asked.load();
  for (std::size_t i = 0; i < drop_count; ++i) {
    counts.drops[i] = counters.drops.get(static_cast<Drop>(i));
  }
  return counts;
}

void LaneCounts::restore(LaneCounters& counters) const {
  const auto into = numbers_of(counters);
  for (std::size_t i = 0; i < into.size(); ++i) into[i]->store(numbers[i]);
  counters.last_heard.store(last_heard);
  counters.last_asked.store(last_asked);
  for (std::size_t i = 0; i < drop_count; ++i) counters.drops.add(static_cast<Drop>(i), drops[i]);
}

LaneState Lane::hand_over() {
  LaneState state;
  for (const auto& association : associations_) {
    state.associations.push_back(association->hand_over());
  }
  state.sending = sending_ == nullptr ? 0 : sending_->id;
  state.payload_limit = payload_limit_;
  state.sparse = sparse_.remote();
  state.sparse_payload_bytes = sparse_.payload_bytes();
  state.sparse_sequence = sparse_.next_sequence();
  state.fragmented_number = fragmenter_.next_number();
  state.fragmented_packets = fragmenter_.packets_fragmented();
  state.expected_peer = expected_peer_;
  state.last_peer = last_peer_;
  return state;
}

void Lane::resume(const LaneState& state, Time now) {
  for (const AssociationState& each : state.associations) {
    const bool available = record::backend_available(each.backend);
    associations_.push_back(std::make_unique<Association>(
        each, available ? each.backend : record::CryptoBackend::openssl));
    if (each.id == state.sending) sending_ = associations_.back().get();
  }
  payload_limit_ = state.payload_limit;
  sparse_.resume(state.sparse, state.sparse_payload_bytes, state.sparse_sequence);
  fragmenter_.resume(state.fragmented_number, state.fragmented_packets);
  classes_.begin_as_bulk(now);
  expected_peer_ = state.expected_peer;
  last_peer_ = state.last_peer;
}

}  // namespace routevpn::datapath
