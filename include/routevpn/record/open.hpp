// Opens records in place: replay window, authentication, decryption.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/drop.hpp"
#include "routevpn/base/relaxed.hpp"
#include "routevpn/base/spin_lock.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/replay.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

// The fault is the first of these that applies:
//
//     record_length    no room for explicit nonce and tag, or a payload above max_plaintext_bytes
//     record_too_old   older than the replay window
//     record_replayed  its sequence number was received before
//     record_forged    does not authenticate
struct Opened {
  std::optional<Drop> fault;
  Bytes payload{};              // part of the record's bytes; may be empty (RFC 5246 section 6.2.1)
  bool newest = false;          // its sequence number is the highest so far
  bool cipher_refused = false;  // record_forged, found by the cipher
};

// What an Opener needs to continue in another process.
struct OpenerState {
  DirectionKeys keys;
  ReplayWindow replay;
  std::uint64_t opened = 0;
  bool counted_nonces = false;
  std::optional<std::uint64_t> nonce_base;

  template <typename Io>
  friend void fields(Io& io, OpenerState& state) {
    io(state.keys, state.replay, state.opened, state.counted_nonces, state.nonce_base);
  }
};

class Opener {
 public:
  // `counted_nonces`: the peer's explicit nonces are a base plus the sequence number, as Sealer's
  // are. The first authentic record tells the base. Then a record with another is record_forged
  // without work of the cipher: a forger that has seen no record must guess 64 bits. Throws
  // SystemError as make_aead() does.
  Opener(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys,
         bool counted_nonces = false);
  // Continues. Throws as above.
  Opener(CryptoBackend backend, CipherSuite suite, const OpenerState& state);
  [[nodiscard]] OpenerState state() const;

  // `record`: header and fragment from split_first(), epoch 1. A fault leaves its bytes unchanged,
  // because the record may belong to another association; except that the second thread has taken
  // the same record meanwhile. Only an authentic record moves the replay
  // window.
  Opened open(const Header& header, Bytes record);

  // For a second thread, while the first opens. It authenticates and decrypts a record, which it
  // may then leave to the first thread: the replay window does not move before take(). Throws
  // SystemError as make_aead() does.
  void add_second_thread(CryptoBackend backend);
  Opened decrypt_beside(const Header& header, Bytes record) const;
  // False: the other thread has taken the same record in between.
  bool take(const Header& header);

  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t highest_sequence() const { return replay_.highest(); }

 private:
  Opened decrypt(Aead& aead, const Header& header, Bytes record) const;
  std::optional<bool> move_window(const Header& header);

  std::unique_ptr<Aead> aead_;
  std::unique_ptr<Aead> second_;  // of the second thread
  CipherSuite suite_;
  std::size_t headroom_;
  DirectionKeys keys_;
  SpinLock lock_;  // of replay_.update() and opened_
  ReplayWindow replay_;
  Relaxed<std::uint64_t> opened_;
  bool counted_nonces_;  // false for suites without explicit nonce
  // Written once. The second thread opens nothing before the first has opened a record.
  std::optional<std::uint64_t> nonce_base_;  // modulo 2^64
};

}  // namespace routevpn::record
