// One DTLS 1.2 handshake, RFC 6347 section 4.2, done by OpenSSL between datagrams we hand it and
// datagrams it hands us: no socket, no thread, and no clock but the one it is told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::dtls {

enum class Role : std::uint8_t { initiator, acceptor };

// What a completed handshake yields: all that the record layer needs, and who the peer is.
struct Established {
  Role role = Role::initiator;
  record::CipherSuite suite = record::CipherSuite::aes_128_gcm;
  std::string cipher_name;  // OpenSSL's, e.g. ECDHE-ECDSA-AES128-GCM-SHA256
  record::DirectionKeys send;
  record::DirectionKeys receive;
  // Above every number OpenSSL has used in epoch 1 or may still use to answer a repeated flight.
  std::uint64_t first_send_sequence = 0;
  std::uint64_t explicit_nonce_base = 0;  // nonce = base + sequence number, also for OpenSSL's own
  bool control_messages = false;          // ALPN routevpn/1 was agreed
  CertificateInfo peer;
};

// Why a handshake failed: a reason that is counted, and a line for the log.
struct HandshakeFailure {
  Drop reason =
      Drop::handshake_failed;  // handshake_failed, handshake_timed_out, certificate_refused
  std::string text;
};

enum class Progress : std::uint8_t { waiting, completed, failed };
enum class TimerOutcome : std::uint8_t { nothing_due, retransmitted, failed };

using Datagrams = std::vector<std::vector<std::uint8_t>>;

struct Session;

class Handshake {
 public:
  // Gap between what OpenSSL has used in epoch 1 and our first number: it may answer repeated
  // flights in between.
  static constexpr std::uint64_t sequence_gap = 1024;
  static constexpr Duration first_retransmission = std::chrono::milliseconds(100);
  static constexpr Duration last_retransmission = std::chrono::seconds(8);
  static constexpr Duration patience = std::chrono::seconds(10);  // half-open no longer than this

  static std::unique_ptr<Handshake> initiate(const std::shared_ptr<const Identity>& identity,
                                             Time now);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // Hands in one datagram of handshake records. After completion a repeated flight of the peer's is
  // answered again.
  Progress receive(ConstBytes datagram, Time now);
  // Call when deadline() has come. Ends in `failed` after `patience`.
  TimerOutcome on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;  // none once completed or failed
  // What is to be sent, in order. The first flight of an initiator waits here after initiate().
  // When a call completed the handshake, install the keys before sending these.
  Datagrams take_output();

  [[nodiscard]] Progress progress() const;
  [[nodiscard]] const HandshakeFailure& failure() const;  // when failed
  [[nodiscard]] const Established& established() const;   // when completed
  // The ClientHello's random, by which a repeated ClientHello is told from a new one (acceptor).
  [[nodiscard]] ConstBytes client_random() const;

 private:
  friend class Listener;
  struct State;
  explicit Handshake(std::unique_ptr<State> state);
  // Goes on with the ClientHello whose cookie the listener found right.
  static std::unique_ptr<Handshake> accept(std::unique_ptr<Session> session,
                                           ConstBytes client_random, Time now);
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::dtls
