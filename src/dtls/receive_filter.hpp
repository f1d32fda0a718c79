// Decides which received records OpenSSL sees during a handshake. Pure.
//
// Records of epoch 0 are not authenticated: an attacker off the path, who knows the addresses and
// ports of both ends, can send them in the peer's name. OpenSSL trusts them: an alert or a
// HelloRequest ends the handshake, and a high record number makes it drop the peer's records as
// replayed. The filter stops such records by four rules.
//
//   1. Numbers. The initiator numbers its records from a random base. The acceptor continues the
//      number of the ClientHello (RFC 6347 section 4.2.1). So each end accepts `window` numbers,
//      and an attacker hits them with a probability of 2^-37 per record.
//   2. OpenSSL gets each message in a record of its own, numbered by us, so that no number of the
//      peer reaches OpenSSL's replay window. A repeated message has a message number that OpenSSL
//      drops.
//   3. OpenSSL gets no alert, and a ChangeCipherSpec only when it is the next thing to come. Before
//      that it gets nothing of epoch 1, because it would store a hundred records; afterwards only
//      what may be a Finished.
//   4. fault_of() stops the messages that the role cannot receive.
//
// Some acceptors do not follow RFC 6347 section 4.2.1: GnuTLS returns the number's lowest byte, and
// OpenSSL counts from 0 unless its user calls DTLSv1_listen(), from 3.2 on always. Therefore an
// initiator accepts every number when wrong numbers came for a second and no right one came. For
// such peers only rules 2 to 4 protect.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/dtls/handshake.hpp"

#include "message.hpp"
#include "records.hpp"

namespace routevpn::dtls {

// What OpenSSL waits for.
enum class Awaited : std::uint8_t { message, change_cipher_spec, finished };

// Whether a record can be the peer's Finished: a message header, 12 bytes of verify_data and a tag
// of 16 bytes, perhaps an explicit nonce. A record of epoch 1 that is shorter than nonce and tag is
// a fatal error in OpenSSL 3.0 (tls1_enc), although nothing authenticated it.
inline bool may_be_finished(const RecordView& record) {
  constexpr std::size_t least = Message::header_bytes + 12 + 16;
  constexpr std::size_t most = least + 32;
  return record.header.epoch == 1 && record.header.type == record::ContentType::handshake &&
         record.fragment.size() >= least && record.fragment.size() <= most;
}

class ReceiveFilter {
 public:
  // Two flights of 16 KiB, in fragments of 1 KiB, retransmitted for 10 s, are 32 * 7 records.
  static constexpr std::uint64_t window = 1024;
  // An initiator's base has a bit of this place or above set. Numbers below it can be guessed:
  // other implementations begin with 0.
  static constexpr std::uint64_t least_random_base = std::uint64_t{1} << 40;
  // A correct acceptor answers within one round-trip time, unless the answer is lost.
  static constexpr Duration fallback_after = std::chrono::seconds(1);
  static constexpr std::size_t max_held_datagrams = 4;
  static constexpr std::size_t max_held_datagram_bytes = 1500;
  static constexpr std::size_t max_early_records = 4;

  // `first_number`: the lowest record number of epoch 0 that the peer may use.
  ReceiveFilter(Role role, std::uint64_t first_number) : role_(role), first_(first_number) {}

  void receive(ConstBytes datagram, Time now);
  // Call when deadline() has come: from then on the initiator accepts every number.
  void on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;

  // The next records for OpenSSL, as one datagram; empty: nothing that OpenSSL waits for has come.
  std::vector<std::uint8_t> take(Awaited awaited);

  // The alert by which the peer ended the handshake. Its number proves that no attacker off the
  // path sent it.
  [[nodiscard]] std::optional<std::uint8_t> alert() const { return alert_; }
  // The first alert without such a proof.
  [[nodiscard]] std::optional<std::uint8_t> unproven_alert() const { return unproven_alert_; }
  // OpenSSL got records with wrong numbers, and then one with a right number came. So the peer
  // follows the RFC, and the former were not the peer's.
  [[nodiscard]] bool misled() const { return misled_; }
  std::vector<Drop> take_drops() { return std::exchange(drops_, {}); }

 private:
  [[nodiscard]] bool number_is_right(std::uint64_t number) const {
    return number >= first_ && number - first_ < window;
  }
  void drop(Drop reason) { drops_.push_back(reason); }
  // Copies a record that may be held for its number to `wrong`.
  void take_one(const RecordView& record, std::vector<std::uint8_t>& wrong);
  void take_plaintext(const RecordView& record, bool right);
  void take_alert(const RecordView& record, bool right);
  void take_messages(const RecordView& record, bool right);
  void take_early(const RecordView& record);
  void hold(std::vector<std::uint8_t> wrong, Time now);
  void note_right_number();

  Role role_;
  std::uint64_t first_;
  bool any_number_ = false;
  bool took_wrong_ = false;
  bool misled_ = false;
  std::optional<Time> wrong_since_;              // since the last right number
  std::vector<std::vector<std::uint8_t>> held_;  // records with wrong numbers, by datagram
  std::uint64_t next_number_ = 1;  // of the next record for OpenSSL; the ClientHello had 0
  std::vector<std::uint8_t> messages_;
  bool change_cipher_spec_ = false;
  // Only a Finished is due, so messages are not kept: nothing would take them.
  bool took_change_cipher_spec_ = false;
  std::deque<std::vector<std::uint8_t>> early_;  // records of epoch 1
  std::optional<std::uint8_t> alert_;
  std::optional<std::uint8_t> unproven_alert_;
  std::vector<Drop> drops_;
};

}  // namespace routevpn::dtls
