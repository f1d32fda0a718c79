#include "routevpn/record/open.hpp"

#include <cassert>

#include "routevpn/record/nonce.hpp"

namespace routevpn::record {

Opener::Opener(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys,
               bool counted_nonces)
    : aead_(make_aead(backend, suite, ConstBytes(keys.key).first(traits(suite).key_bytes))),
      suite_(suite),
      headroom_(headroom(suite)),
      keys_(keys),
      counted_nonces_(counted_nonces && traits(suite).explicit_nonce_bytes != 0) {}

Opener::Opener(CryptoBackend backend, CipherSuite suite, const OpenerState& state)
    : Opener(backend, suite, state.keys, state.counted_nonces) {
  replay_ = state.replay;
  opened_ = state.opened;
  nonce_base_ = state.nonce_base;
}

OpenerState Opener::state() const {
  return {keys_, replay_, opened_, counted_nonces_, nonce_base_};
}

Opened Opener::open(const Header& header, Bytes record) {
  const std::size_t overhead = headroom_ + tailroom;
  if (record.size() < overhead || record.size() - overhead > max_plaintext_bytes) {
    return {Drop::record_length};
  }
  assert(record.size() == header_bytes + header.length);
  if (const auto fault = replay_.check(header.sequence)) return {fault};
  const Bytes payload = record.subspan(headroom_, record.size() - overhead);
  // ChaCha20-Poly1305 has no explicit nonce: these are the first fragment bytes, and not used.
  const std::uint64_t explicit_nonce = load_be64(record.data() + header_bytes);
  const std::uint64_t base = explicit_nonce - header.sequence;
  if (nonce_base_ && base != *nonce_base_) return {Drop::record_forged};
  const auto nonce = record_nonce(suite_, keys_.iv, header, explicit_nonce);
  const auto additional = additional_data(header, payload.size());
  if (!aead_->open(nonce.data(), {additional.data(), additional_data_bytes}, payload,
                   payload.data() + payload.size())) {
    return {Drop::record_forged, {}, false, true};
  }
  if (counted_nonces_) nonce_base_ = base;
  ++opened_;
  return {std::nullopt, payload, replay_.update(header.sequence)};
}

}  // namespace routevpn::record
