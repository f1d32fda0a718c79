#include "routevpn/dtls/handshake.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/key_block.hpp"

#include "context.hpp"
#include "records.hpp"
#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

// OpenSSL's timer is later than ours if the wall clock was stepped back: try again after this time.
constexpr Duration timer_retry = std::chrono::milliseconds(10);

using record::ContentType;

// Whether OpenSSL may see a record. It would answer application data with a fatal alert. After
// completion it may see nothing but a retransmitted Finished.
bool is_for_openssl(const record::Header& header, Progress progress) {
  if (header.epoch == 1) return header.type == ContentType::handshake;
  return header.epoch == 0 && progress == Progress::waiting &&
         (header.type == ContentType::handshake || header.type == ContentType::alert ||
          header.type == ContentType::change_cipher_spec);
}

std::vector<std::uint8_t> filter(ConstBytes datagram, Progress progress) {
  std::vector<std::uint8_t> kept;
  while (const auto record = take_record(datagram)) {
    if (is_for_openssl(record->header, progress)) {
      kept.insert(kept.end(), record->whole.begin(), record->whole.end());
    }
  }
  return kept;
}

bool control_messages_agreed(const SSL* ssl, const PskPtr& psk) {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  const auto ours = psk != nullptr ? psk_alpn : control_alpn;
  return std::string_view(reinterpret_cast<const char*>(name), size) == ours.substr(1);
}

}  // namespace

Handshake::Handshake(Role role, std::unique_ptr<SslConnection> connection, Time now)
    : connection_(std::move(connection)), started_(now) {
  established_.role = role;
}
Handshake::~Handshake() = default;

SSL* Handshake::ssl() const {
  return connection_->ssl.get();
}

void Handshake::fail(HandshakeFailure why) {
  progress_ = Progress::failed;
  failure_ = std::move(why);
}

void Handshake::advance(Time now) {
  connection_->pipe.timer.now = now;
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl());
  if (outcome == 1) {
    complete();
  } else if (SSL_get_error(ssl(), outcome) != SSL_ERROR_WANT_READ) {
    auto why = failure_from_queue();
    fail(connection_->refusal ? *connection_->refusal : std::move(why));
  }
  ERR_clear_error();
}

// If the acceptor's last flight was lost, the peer retransmits its Finished. OpenSSL answers it
// with its own last flight while it reads.
void Handshake::retransmit_last_flight() {
  ERR_clear_error();
  unsigned char nothing = 0;
  const int outcome = SSL_read(ssl(), &nothing, sizeof nothing);
  may_retransmit_ = SSL_get_error(ssl(), outcome) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
}

void Handshake::complete() {
  const auto suite = suite_of(ssl());
  const auto& used = connection_->pipe.used();
  HandshakeFailure why;
  if (SSL_get_extms_support(ssl()) != 1) {
    why.text = no_extended_master_secret;
  } else if (psk_ != nullptr && !control_messages_agreed(ssl(), psk_)) {
    why.text = no_psk_alpn;
  } else if (!suite || !used.highest_sequence ||
             (record::traits(*suite).explicit_nonce_bytes != 0 && !used.same_base)) {
    why.text = "OpenSSL sealed its records in a way that the record layer cannot continue";
  } else {
    try {
      establish(*suite);
      return;
    } catch (const SystemError& error) {
      why.text = error.what();
    }
  }
  connection_->pipe.take_output();  // without our Finished the peer does not complete either
  fail(std::move(why));
}

void Handshake::establish(record::CipherSuite suite) {
  const KeyBlock keys = derive_key_block(ssl(), suite, psk_.get());
  const bool initiator = established_.role == Role::initiator;
  established_.suite = suite;
  established_.cipher_name = SSL_get_cipher_name(ssl());
  established_.send = initiator ? keys.initiator : keys.acceptor;
  established_.receive = initiator ? keys.acceptor : keys.initiator;
  const auto& used = connection_->pipe.used();
  established_.first_send_sequence = *used.highest_sequence + 1 + sequence_gap;
  if (record::traits(suite).explicit_nonce_bytes != 0) {
    established_.explicit_nonce_base = used.nonce_base;
  }
  established_.control_messages = control_messages_agreed(ssl(), psk_);
  established_.peer = describe(SSL_get0_peer_certificate(ssl()));
  SSL_get_client_random(ssl(), client_random_.data(), client_random_.size());
  connection_->pipe.take_over(established_.first_send_sequence);
  progress_ = Progress::completed;
}

std::unique_ptr<Handshake> Handshake::initiate(const std::shared_ptr<const Identity>& identity,
                                               Time now) {
  const auto& psks = identity->psks();
  auto connection = make_connection(identity->initiator(), mtu_of(*identity));
  SSL_set_connect_state(connection->ssl.get());
  std::unique_ptr<Handshake> handshake(new Handshake(Role::initiator, std::move(connection), now));
  if (!psks.empty()) handshake->use_psk(psks.front());
  handshake->advance(now);
  return handshake;
}

std::unique_ptr<Handshake> Handshake::accept(std::unique_ptr<SslConnection> connection,
                                             ConstBytes client_random, Time now) {
  std::unique_ptr<Handshake> handshake(new Handshake(Role::acceptor, std::move(connection), now));
  auto& kept = handshake->client_random_;
  std::copy_n(client_random.begin(), kept.size(), kept.begin());
  handshake->peer_answered_ = true;
  handshake->advance(now);
  return handshake;
}

Progress Handshake::receive(ConstBytes datagram, Time now) {
  const bool over =
      progress_ == Progress::failed || (progress_ == Progress::completed &&
                                        (established_.role == Role::initiator || !may_retransmit_));
  if (over) return progress_;
  auto records = filter(datagram, progress_);
  if (records.empty()) return progress_;
  peer_answered_ = true;
  connection_->pipe.offer(std::move(records));
  if (progress_ == Progress::completed) {
    retransmit_last_flight();
  } else {
    advance(now);
  }
  return progress_;
}

TimerOutcome Handshake::on_timer(Time now) {
  if (progress_ != Progress::waiting) return TimerOutcome::nothing_due;
  if (now >= started_ + time_limit) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time_limit).count();
    fail({Drop::handshake_timed_out,
          std::string(peer_answered_ ? "handshake not completed" : "no answer") + " within " +
              std::to_string(seconds) + " s"});
    return TimerOutcome::failed;
  }
  auto& timer = connection_->pipe.timer;
  if (!timer.due || now < *timer.due) return TimerOutcome::nothing_due;

  timer.now = now;
  ERR_clear_error();
  const long outcome = DTLSv1_handle_timeout(ssl());
  if (outcome == 0) timer.due = now + timer_retry;
  if (outcome < 0) fail(failure_from_queue());
  ERR_clear_error();
  if (outcome < 0) return TimerOutcome::failed;
  return outcome == 0 ? TimerOutcome::nothing_due : TimerOutcome::retransmitted;
}

std::optional<Time> Handshake::deadline() const {
  if (progress_ != Progress::waiting) return std::nullopt;
  const Time end = started_ + time_limit;
  const auto& due = connection_->pipe.timer.due;
  return due ? std::min(*due, end) : end;
}

Datagrams Handshake::take_output() {
  return connection_->pipe.take_output();
}

}  // namespace routevpn::dtls
