#include "routevpn/datapath/fragments.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "routevpn/base/mtu.hpp"

namespace routevpn::datapath {

namespace {

// What is received between two joins is at most 128 KiB, and may complete what came before.
constexpr std::size_t joined_at_most = 3UL * 65536;

// Its number comes again after 2^16 packets; a piece that is missing for so many never comes.
constexpr std::uint64_t stale_after = 4096;

Reassembler::Result refused(Drop reason) {
  return {reason, {}, inside::Ecn::not_ect};
}

}  // namespace

Fragmenter::Fragmenter() {
  whole_.clear(0, 0);
}

std::size_t Fragmenter::split(inside::OutboundBatch& batch, std::size_t from, std::size_t limit) {
  whole_.truncate(0);
  std::size_t lost = 0;
  for (const auto& packet : batch.packets().subspan(from)) {
    std::uint8_t* const to = whole_.append(packet.length);
    if (to == nullptr) {
      ++lost;
    } else {
      std::memcpy(to, packet.data, packet.length);
    }
  }
  batch.truncate(from);
  for (const auto& packet : whole_.packets()) {
    if (!append_fragments({packet.data, packet.length}, limit, batch)) ++lost;
  }
  return lost;
}

bool Fragmenter::append_fragments(ConstBytes packet, std::size_t limit,
                                  inside::OutboundBatch& batch) {
  if (packet.size() <= limit) {
    std::uint8_t* const to = batch.append(packet.size());
    if (to != nullptr) std::memcpy(to, packet.data(), packet.size());
    return to != nullptr;
  }
  // As equal as can be: equal datagrams leave together.
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
  const std::size_t pieces = batch.packets().size() - before;
  surplus_packets_ += pieces - 1;
  surplus_bytes_ += pieces * fragment_header_bytes;
  ++packets_fragmented_;
  return true;
}

void Fragmenter::settle(std::uint64_t& packets, std::uint64_t& bytes) {
  const auto take = [](std::uint64_t& surplus, std::uint64_t& from) {
    const std::uint64_t taken = std::min(surplus, from);
    surplus -= taken;
    from -= taken;
  };
  take(surplus_packets_, packets);
  take(surplus_bytes_, bytes);
}

Reassembler::Reassembler()
    // Not set to zero: a page that no piece ever reaches stays untouched.
    : memory_(std::make_unique_for_overwrite<std::uint8_t[]>(max_open * maximum_mtu)),
      joined_(std::make_unique_for_overwrite<std::uint8_t[]>(joined_at_most)) {}

Reassembler::Result Reassembler::join(AssociationId association, ConstBytes payload,
                                      inside::Ecn outer_ecn) {
  Result result;
  const std::size_t bytes = payload.size() - std::min(payload.size(), fragment_header_bytes);
  if (bytes == 0) return refused(Drop::payload_malformed);
  const std::uint16_t packet = load_be16(payload.data() + 2);
  const std::size_t offset = load_be16(payload.data() + 4);
  const std::uint16_t length = load_be16(payload.data() + 6);
  if (length > maximum_mtu || offset + bytes > length) return refused(Drop::payload_malformed);

  const std::size_t slot = find_or_begin(association, packet, length, result);
  Open& open = open_[slot];
  std::uint8_t* const whole = memory_.get() + slot * maximum_mtu;
  std::memcpy(whole + offset, payload.data() + fragment_header_bytes, bytes);
  // No record opens twice, so no piece comes twice.
  open.received += bytes;
  if (open.outer_ecn != inside::Ecn::congested) open.outer_ecn = outer_ecn;
  if (open.received < length) return result;
  open.association = 0;
  if (length > joined_at_most - joined_bytes_) return refused(Drop::payload_incomplete);
  std::uint8_t* const at = joined_.get() + std::exchange(joined_bytes_, joined_bytes_ + length);
  std::memcpy(at, whole, length);
  result.packet = {at, length};
  result.outer_ecn = open.outer_ecn;
  return result;
}

std::size_t Reassembler::find_or_begin(AssociationId association, std::uint16_t packet,
                                       std::uint16_t length, Result& result) {
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const Open& open = open_[i];
    if (open.association == association && open.packet == packet && open.length == length) {
      if (age_ - open.age < stale_after) return i;
      oldest = i;  // of the last time round: another packet
      break;
    }
    const auto age = [this](std::size_t at) {
      return open_[at].association == 0 ? 0 : open_[at].age;
    };
    if (age(i) < age(oldest)) oldest = i;
  }
  if (open_[oldest].association != 0) result.fault = Drop::payload_incomplete;
  open_[oldest] = {association, packet, length, inside::Ecn::not_ect, 0, ++age_};
  return oldest;
}

}  // namespace routevpn::datapath
