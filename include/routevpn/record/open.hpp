// Opens records in place: replay window, authentication, decryption.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/drop.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/replay.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

// The first of these that holds is the fault:
//
//     record_length    no room for explicit nonce and tag, or more than max_plaintext_bytes beside
//     record_too_old   left of the replay window
//     record_replayed  its sequence number came before
//     record_forged    does not authenticate
struct Opened {
  std::optional<Drop> fault;
  Bytes payload;        // inside the record's bytes; empty is legal, RFC 5246 section 6.2.1
  bool newest = false;  // newer than all before it
};

class Opener {
 public:
  // Throws SystemError as make_aead() does.
  Opener(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys);

  // `record` is header and fragment as split_first() gave it, epoch 1. After a fault its bytes are
  // as they were: it may belong to another association. Only an authentic record moves the replay
  // window.
  Opened open(const Header& header, Bytes record);

  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t forged() const { return forged_; }
  [[nodiscard]] std::uint64_t highest_sequence() const { return replay_.highest(); }

 private:
  std::unique_ptr<Aead> aead_;
  CipherSuite suite_;
  std::size_t headroom_;
  DirectionKeys keys_;
  ReplayWindow replay_;
  std::uint64_t opened_ = 0;
  std::uint64_t forged_ = 0;
};

}  // namespace routevpn::record
