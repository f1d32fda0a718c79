// One DTLS 1.2 handshake (RFC 6347 section 4.2), done by OpenSSL. Datagrams go in and come out;
// time is an argument. There is no socket and no thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/dtls/identity.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::dtls {

enum class Role : std::uint8_t { initiator, acceptor };

using CertificateChain = std::vector<std::vector<std::uint8_t>>;  // DER, the leaf first

// The result of a completed handshake: what the record layer needs, and the peer's certificate.
struct Established {
  Role role = Role::initiator;
  record::CipherSuite suite = record::CipherSuite::aes_128_gcm;
  std::string cipher_name;  // OpenSSL's, e.g. ECDHE-ECDSA-AES128-GCM-SHA256
  record::DirectionKeys send;
  record::DirectionKeys receive;
  // Above every number that OpenSSL used in epoch 1, or may still use to retransmit its last
  // flight.
  std::uint64_t first_send_sequence = 0;
  std::uint64_t explicit_nonce_base = 0;  // nonce = base + sequence number, also for OpenSSL's own
  bool control_messages = false;          // ALPN routevpn/1 or routevpn/2, or with +psk, was agreed
  bool sparse_flow = false;               // ALPN routevpn/2 or routevpn/2+psk was agreed
  CertificateInfo peer;
  std::shared_ptr<const CertificateChain> peer_chain;  // for recheck()
};

// Why a handshake failed: the drop counter to raise, and a line for the log.
struct HandshakeFailure {
  Drop reason = Drop::handshake_failed;  // or handshake_timed_out, certificate_refused
  std::string text;
  std::string cause{};  // a word that tells more than the drop counter; empty: the counter's name
};

// Values of HandshakeFailure::cause.
inline constexpr auto no_answer = "no_answer";
inline constexpr auto refused_by_peer = "refused_by_peer";

enum class Progress : std::uint8_t { waiting, completed, failed };
enum class TimerOutcome : std::uint8_t { nothing_due, retransmitted, failed };

using Datagrams = std::vector<std::vector<std::uint8_t>>;

struct SslConnection;
class ReceiveFilter;

class Handshake {
 public:
  // Sequence numbers between OpenSSL's last record of epoch 1 and our first one, left for OpenSSL's
  // retransmissions of its last flight.
  static constexpr std::uint64_t sequence_gap = 1024;
  static constexpr Duration first_retransmission = std::chrono::milliseconds(100);
  static constexpr Duration last_retransmission = std::chrono::seconds(8);
  static constexpr Duration time_limit = std::chrono::seconds(10);  // of a half-open handshake

  static std::unique_ptr<Handshake> initiate(const std::shared_ptr<const Identity>& identity,
                                             Time now);
  ~Handshake();  // gives its memory back to the kernel

  // Mixes this PSK into the traffic keys; null: none. An initiator has its identity's first PSK
  // already. An acceptor gets the PSK of the envelope that brought its ClientHello.
  void use_psk(PskPtr psk) { psk_ = std::move(psk); }
  // Takes one datagram of handshake records. After completion the acceptor answers a retransmitted
  // Finished by retransmitting its own last flight.
  Progress receive(ConstBytes datagram, Time now);
  // Call when deadline() has come. The handshake fails after time_limit.
  TimerOutcome on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;  // none once completed or failed
  // The datagrams to send, in order; after initiate() the first flight. If the last call completed
  // the handshake, install the keys before sending these: the peer may use its keys at once.
  Datagrams take_output();

  [[nodiscard]] Progress progress() const { return progress_; }
  [[nodiscard]] const HandshakeFailure& failure() const { return failure_; }  // when failed
  [[nodiscard]] const PskPtr& psk() const { return psk_; }
  [[nodiscard]] const Established& established() const { return established_; }  // when completed
  // Whether OpenSSL got a message of the peer.
  [[nodiscard]] bool answered() const { return peer_answered_; }
  // The end of a sentence on a time-out: names the alert that came in the peer's name without
  // proof that the peer sent it; empty: none came.
  [[nodiscard]] std::string unproven_alert() const;
  // Why records were dropped, since the last call.
  std::vector<Drop> take_drops();
  // Whether the peer of an acceptor's handshake in progress has shown that it holds the key of its
  // verified certificate. Its Finished is still missing.
  [[nodiscard]] bool peer_proved_key() const;
  // The random of the ClientHello: an acceptor uses it to recognise a retransmitted ClientHello.
  [[nodiscard]] ConstBytes client_random() const { return client_random_; }

 private:
  friend class Listener;
  // `first_number`: of our records of epoch 0. `peers_first`: the lowest that the peer may use.
  Handshake(Role role, std::unique_ptr<SslConnection> connection, std::uint64_t first_number,
            std::uint64_t peers_first, Time now);
  // Continues with the ClientHello whose cookie the listener verified. `number`: of its record.
  static std::unique_ptr<Handshake> accept(std::unique_ptr<SslConnection> connection,
                                           ConstBytes client_random, std::uint64_t number,
                                           Time now);
  [[nodiscard]] SSL* ssl() const;
  void advance(Time now);
  void feed(Time now);
  void retransmit_last_flight();
  void complete();
  void establish(record::CipherSuite suite);
  void fail(HandshakeFailure why);

  std::unique_ptr<SslConnection> connection_;
  PskPtr psk_;
  std::unique_ptr<ReceiveFilter> filter_;
  Time started_;
  Progress progress_ = Progress::waiting;
  HandshakeFailure failure_;
  Established established_;
  std::array<std::uint8_t, SSL3_RANDOM_SIZE> client_random_{};
  bool peer_answered_ = false;
  bool may_retransmit_ = true;  // after completion, until OpenSSL reports an error
};

}  // namespace routevpn::dtls
