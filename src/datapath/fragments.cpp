#include "routevpn/datapath/fragments.hpp"

#include <algorithm>
#include <cstring>

namespace routevpn::datapath {
namespace {

// Packet numbers repeat after 2^16 packets. After 4096 newer packets an incomplete one is older
// than any reordering, so an equal number belongs to another packet.
constexpr std::uint64_t stale_after = 4096;

bool append_copy(ConstBytes packet, inside::OutboundBatch& batch) {
  std::uint8_t* const to = batch.append(packet.size());
  if (to != nullptr) std::memcpy(to, packet.data(), packet.size());
  return to != nullptr;
}

}  // namespace

std::size_t Fragmenter::split(inside::OutboundBatch& batch, std::size_t from, std::size_t limit) {
  whole_.truncate(0);
  std::size_t lost = 0;
  for (const auto& packet : batch.packets().subspan(from)) {
    if (!append_copy({packet.data, packet.length}, whole_)) ++lost;
  }
  batch.truncate(from);
  for (const auto& packet : whole_.packets()) {
    if (!append_fragments({packet.data, packet.length}, limit, batch)) ++lost;
  }
  return lost;
}

bool Fragmenter::append_fragments(ConstBytes packet, std::size_t limit,
                                  inside::OutboundBatch& batch) {
  if (packet.size() <= limit) return append_copy(packet, batch);
  // Fragments of equal length, because equal datagrams leave in one UDP_SEGMENT send.
  const std::size_t most = limit - fragment_header_bytes;
  const std::size_t count = (packet.size() + most - 1) / most;
  const std::size_t step = (packet.size() + count - 1) / count;
  const std::size_t before = batch.packets().size();
  const std::uint16_t number = number_++;
  for (std::size_t at = 0; at < packet.size(); at += step) {
    const std::size_t bytes = std::min(step, packet.size() - at);
    std::uint8_t* const to = batch.append(fragment_header_bytes + bytes);
    if (to == nullptr) {
      batch.truncate(before);
      return false;
    }
    to[0] = fragment_kind;
    to[1] = 0;
    store_be16(to + 2, number);
    store_be16(to + 4, static_cast<std::uint16_t>(at));
    store_be16(to + 6, static_cast<std::uint16_t>(packet.size()));
    std::memcpy(to + fragment_header_bytes, packet.data() + at, bytes);
  }
  const std::size_t fragments = batch.packets().size() - before;
  surplus_packets_ += fragments - 1;
  surplus_bytes_ += fragments * fragment_header_bytes;
  ++packets_fragmented_;
  return true;
}

void Fragmenter::subtract_surplus(std::uint64_t& packets, std::uint64_t& bytes) {
  const auto take = [](std::uint64_t& surplus, std::uint64_t& from) {
    const std::uint64_t taken = std::min(surplus, from);
    surplus -= taken;
    from -= taken;
  };
  take(surplus_packets_, packets);
  take(surplus_bytes_, bytes);
}

Reassembler::Result Reassembler::add(AssociationId association, ConstBytes payload,
                                     inside::Ecn outer_ecn) {
  if (payload.size() <= fragment_header_bytes) return {Drop::payload_malformed, {}};
  const std::size_t bytes = payload.size() - fragment_header_bytes;
  const std::uint16_t packet = load_be16(payload.data() + 2);
  const std::size_t offset = load_be16(payload.data() + 4);
  const std::uint16_t length = load_be16(payload.data() + 6);
  if (length > maximum_mtu || offset + bytes > length) return {Drop::payload_malformed, {}};

  Result result;
  const std::size_t slot = find_or_start(association, packet, length, result);
  Incomplete& found = incomplete_[slot];
  const auto end = static_cast<std::uint16_t>(offset + bytes);
  const auto added = found.received.add(static_cast<std::uint16_t>(offset), end);
  if (added != Covered::Result::added) {
    found = {};
    return {added == Covered::Result::full ? Drop::payload_incomplete : Drop::payload_malformed,
            {}};
  }
  std::uint8_t* const whole = memory_.get() + slot * maximum_mtu;
  std::memcpy(whole + offset, payload.data() + fragment_header_bytes, bytes);
  if (found.outer_ecn != inside::Ecn::congested) found.outer_ecn = outer_ecn;
  if (!found.received.is_whole(length)) return result;
  const inside::Ecn marked = found.outer_ecn;
  found = {};
  if (length > max_reassembled_bytes - reassembled_bytes_) return {Drop::payload_incomplete, {}};
  std::uint8_t* const at = reassembled_.get() + reassembled_bytes_;
  reassembled_bytes_ += length;
  std::memcpy(at, whole, length);
  return {result.fault, {at, length}, marked};
}

Reassembler::Covered::Result Reassembler::Covered::add(std::uint16_t first, std::uint16_t end) {
  const auto last = ranges_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto next = std::find_if(ranges_.begin(), last,
                                 [first](const Range& range) { return range.end > first; });
  if (next != last && next->first < end) return Result::overlaps;
  const auto before = next == ranges_.begin() ? last : std::prev(next);
  const bool joins_before = before != last && before->end == first;
  const bool joins_next = next != last && next->first == end;
  if (joins_before && joins_next) {
    before->end = next->end;
    std::move(std::next(next), last, next);
    --count_;
  } else if (joins_before) {
    before->end = end;
  } else if (joins_next) {
    next->first = first;
  } else if (count_ == ranges_.size()) {
    return Result::full;
  } else {
    std::move_backward(next, last, std::next(last));
    *next = {first, end};
    ++count_;
  }
  return Result::added;
}

std::size_t Reassembler::find_or_start(AssociationId association, std::uint16_t packet,
                                       std::uint16_t length, Result& result) {
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < incomplete_.size(); ++i) {
    const Incomplete& each = incomplete_[i];
    if (each.association == association && each.packet == packet && each.length == length) {
      if (age_ - each.age < stale_after) return i;
      oldest = i;  // its number has wrapped around
      break;
    }
    if (each.age < incomplete_[oldest].age) oldest = i;
  }
  if (incomplete_[oldest].association != 0) result.fault = Drop::payload_incomplete;
  incomplete_[oldest] = {association, packet, length, inside::Ecn::not_ect, {}, ++age_};
  return oldest;
}

}  // namespace routevpn::datapath
