#include "routevpn/record/open.hpp"

#include <cassert>
#include <mutex>

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

void Opener::add_second_thread(CryptoBackend backend) {
  second_ = make_aead(backend, suite_, ConstBytes(keys_.key).first(traits(suite_).key_bytes));
}

Opened Opener::open(const Header& header, Bytes record) {
  Opened opened = decrypt(*aead_, header, record);
  if (opened.fault) return opened;
  if (counted_nonces_ && !nonce_base_) {
    nonce_base_ = load_be64(record.data() + header_bytes) - header.sequence;
  }
  const auto newest = move_window(header);
  if (!newest) return {Drop::record_replayed};
  opened.newest = *newest;
  return opened;
}

Opened Opener::decrypt_beside(const Header& header, Bytes record) const {
  return decrypt(*second_, header, record);
}

bool Opener::take(const Header& header) {
  return move_window(header).has_value();
}

// Whether the record is the newest; none: the window refuses it.
std::optional<bool> Opener::move_window(const Header& header) {
  const std::scoped_lock locked(lock_);
  if (replay_.check(header.sequence)) return std::nullopt;
  opened_ = opened_ + 1;
  return replay_.update(header.sequence);
}

Opened Opener::decrypt(Aead& aead, const Header& header, Bytes record) const {
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
  if (!aead.open(nonce.data(), {additional.data(), additional_data_bytes}, payload,
                 payload.data() + payload.size())) {
    return {Drop::record_forged, {}, false, true};
  }
  return {std::nullopt, payload};
}

}  // namespace routevpn::record
