#include "routevpn/record/seal.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "routevpn/record/nonce.hpp"

namespace routevpn::record {

namespace {

constexpr std::uint16_t application_epoch = 1;

std::uint64_t first_refused(CipherSuite suite, std::uint64_t first, std::uint64_t limit) {
  if (first >= max_sequence) return first;
  const std::uint64_t numbers_left = max_sequence - first;  // the last is that of seal_last()
  return first + std::min({limit, traits(suite).record_limit, numbers_left});
}

}  // namespace

Sealer::Sealer(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys,
               std::uint64_t first_sequence, std::uint64_t explicit_nonce_base, std::uint64_t limit)
    : aead_(make_aead(backend, suite, ConstBytes(keys.key).first(traits(suite).key_bytes))),
      suite_(suite),
      explicit_nonce_bytes_(traits(suite).explicit_nonce_bytes),
      keys_(keys),
      first_(first_sequence),
      next_(first_sequence),
      end_(first_refused(suite, first_sequence, limit)),
      last_is_left_(first_sequence <= max_sequence),
      explicit_nonce_base_(explicit_nonce_base) {}

Sealer::Sealer(CryptoBackend backend, CipherSuite suite, const SealerState& state)
    : Sealer(backend, suite, state.keys, state.first, state.explicit_nonce_base, 0) {
  const std::uint64_t end =
      std::min(state.end, first_refused(suite, state.first, traits(suite).record_limit));
  const std::uint64_t used = std::min(state.next, end);
  end_ = end;
  next_ = used + std::min(handed_over_gap, end - used);
  last_is_left_ = state.last_is_left;
}

void Sealer::add_second_thread(CryptoBackend backend) {
  second_ = make_aead(backend, suite_, ConstBytes(keys_.key).first(traits(suite_).key_bytes));
}

SealerState Sealer::hand_over() {
  SealerState state{
      keys_,        first_, next_, std::max<std::uint64_t>(end_, next_), explicit_nonce_base_,
      last_is_left_};
  end_ = next_;
  last_is_left_ = false;
  return state;
}

std::size_t Sealer::seal(std::span<const OutboundPacket> packets, ContentType type) {
  return seal_with(*aead_, packets, type);
}

std::size_t Sealer::seal_beside(std::span<const OutboundPacket> packets) {
  return seal_with(*second_, packets, ContentType::application_data);
}

std::size_t Sealer::seal_with(Aead& aead, std::span<const OutboundPacket> packets,
                              ContentType type) {
  const Numbers numbers = take_numbers(packets.size());
  for (std::size_t i = 0; i < numbers.count; ++i) {
    if (seal_one(aead, packets[i], type, numbers.first + i)) continue;
    end_ = 0;
    return i;
  }
  return numbers.count;
}

Sealer::Numbers Sealer::take_numbers(std::size_t wanted) {
  std::uint64_t next = next_;
  std::size_t count = 0;
  do {
    const std::uint64_t end = end_;
    count = std::min<std::uint64_t>(wanted, end - std::min(end, next));
  } while (count != 0 && !next_.replace(next, next + count));
  return {next, count};
}

bool Sealer::seal_last(const OutboundPacket& packet, ContentType type) {
  return std::exchange(last_is_left_, false) && seal_one(*aead_, packet, type, max_sequence);
}

bool Sealer::seal_one(Aead& aead, const OutboundPacket& packet, ContentType type,
                      std::uint64_t sequence) const {
  assert(packet.length <= max_plaintext_bytes);
  const Header header{
      type, dtls_1_2, application_epoch, sequence,
      static_cast<std::uint16_t>(explicit_nonce_bytes_ + packet.length + tag_bytes)};
  std::uint8_t* const record = packet.data - explicit_nonce_bytes_ - header_bytes;
  encode(header, record);
  const std::uint64_t explicit_nonce = explicit_nonce_base_ + header.sequence;
  if (explicit_nonce_bytes_ != 0) store_be64(record + header_bytes, explicit_nonce);
  const auto nonce = record_nonce(suite_, keys_.iv, header, explicit_nonce);
  const auto additional = additional_data(header, packet.length);
  return aead.seal(nonce.data(), {additional.data(), additional_data_bytes},
                   {packet.data, packet.length}, packet.data + packet.length);
}

}  // namespace routevpn::record
