#include "routevpn/dtls/handshake.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <malloc.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/key_block.hpp"
#include "routevpn/dtls/recheck.hpp"

#include "context.hpp"
#include "receive_filter.hpp"
#include "records.hpp"
#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

// OpenSSL's timer is later than ours if the wall clock was stepped back: try again after this time.
constexpr Duration timer_retry = std::chrono::milliseconds(10);

// The records of a retransmitted Finished: after completion OpenSSL may see nothing else.
std::vector<std::uint8_t> finished_records(ConstBytes datagram) {
  std::vector<std::uint8_t> kept;
  while (const auto record = take_record(datagram)) {
    if (may_be_finished(*record)) {
      kept.insert(kept.end(), record->whole.begin(), record->whole.end());
    }
  }
  return kept;
}

// The end that has sent its whole last flight, or received the peer's up to CertificateVerify,
// waits for ChangeCipherSpec. (The acceptor always requires a certificate.)
Awaited awaited(const SSL* ssl) {
  switch (SSL_get_state(ssl)) {
    case TLS_ST_CW_FINISHED:
    case TLS_ST_SR_CERT_VRFY:
      return Awaited::change_cipher_spec;
    case TLS_ST_CR_CHANGE:
    case TLS_ST_SR_CHANGE:
      return Awaited::finished;
    default:
      return Awaited::message;
  }
}

// A number that no attacker off the path can guess, as TCP's initial sequence number (RFC 6528).
// Its lowest byte is 0, because GnuTLS returns only this byte to us: it counts up from there as
// ours does. Below 2^47, so that it never wraps.
std::uint64_t random_base() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  pki::require(RAND_bytes(bytes.data(), bytes.size()) == 1, "draw a record number");
  constexpr std::uint64_t below = std::uint64_t{1} << 47;
  const std::uint64_t number = load_be64(bytes.data()) % (below - ReceiveFilter::least_random_base);
  return (ReceiveFilter::least_random_base + number) & ~std::uint64_t{0xff};
}

// 2 or 1: of ALPN routevpn/VERSION, and with a PSK of routevpn/VERSION+psk. 0: another, or none.
int agreed_version(const SSL* ssl, const PskPtr& psk) {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  const std::string_view agreed(reinterpret_cast<const char*>(name), size);
  const auto ours = psk != nullptr ? psk_alpn : control_alpn;
  const std::size_t length = static_cast<unsigned char>(ours.front());
  if (agreed == ours.substr(1, length)) return 2;
  return agreed == ours.substr(length + 2) ? 1 : 0;
}

}  // namespace

Handshake::Handshake(Role role, std::unique_ptr<SslConnection> connection,
                     std::uint64_t first_number, std::uint64_t peers_first, Time now)
    : connection_(std::move(connection)),
      filter_(std::make_unique<ReceiveFilter>(role, peers_first)),
      started_(now) {
  established_.role = role;
  connection_->pipe.number_from(first_number);
}

// The allocator keeps the up to 100 KB of an ended handshake, because they lie between parts in
// use. So the free pages of the heap go back to the kernel here.
Handshake::~Handshake() {
  connection_.reset();
  malloc_trim(0);
}

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
  } else if (psk_ != nullptr && agreed_version(ssl(), psk_) == 0) {
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
  const int version = agreed_version(ssl(), psk_);
  established_.control_messages = version >= 1;
  established_.sparse_flow = version >= 2;
  established_.peer = describe(SSL_get0_peer_certificate(ssl()));
  established_.peer_chain = std::make_shared<const CertificateChain>(chain_of_peer(ssl()));
  SSL_get_client_random(ssl(), client_random_.data(), client_random_.size());
  connection_->pipe.take_over(established_.first_send_sequence);
  progress_ = Progress::completed;
}

std::unique_ptr<Handshake> Handshake::initiate(const std::shared_ptr<const Identity>& identity,
                                               Time now) {
  const auto& psks = identity->psks();
  auto connection = make_connection(*identity, Role::initiator);
  SSL_set_connect_state(connection->ssl.get());
  // An acceptor's first record has the number of the ClientHello.
  const std::uint64_t base = random_base();
  std::unique_ptr<Handshake> handshake(
      new Handshake(Role::initiator, std::move(connection), base, base, now));
  if (!psks.empty()) handshake->use_psk(psks.front());
  handshake->advance(now);
  return handshake;
}

std::unique_ptr<Handshake> Handshake::accept(std::unique_ptr<SslConnection> connection,
                                             ConstBytes client_random, std::uint64_t number,
                                             Time now) {
  std::unique_ptr<Handshake> handshake(
      new Handshake(Role::acceptor, std::move(connection), number, number + 1, now));
  auto& kept = handshake->client_random_;
  std::copy_n(client_random.begin(), kept.size(), kept.begin());
  handshake->peer_answered_ = true;
  handshake->advance(now);
  return handshake;
}

// Passes on to OpenSSL what it waits for, as long as there is any.
void Handshake::feed(Time now) {
  if (const auto alert = filter_->alert()) {
    return fail(refusal_by_peer(*alert));
  }
  if (filter_->misled()) {
    return fail({Drop::handshake_failed, "forged records in the peer's name came before its own"});
  }
  while (progress_ == Progress::waiting) {
    auto records = filter_->take(awaited(ssl()));
    if (records.empty()) return;
    peer_answered_ = true;
    connection_->pipe.offer(std::move(records));
    advance(now);
  }
}

Progress Handshake::receive(ConstBytes datagram, Time now) {
  if (progress_ == Progress::waiting) {
    filter_->receive(datagram, now);
    feed(now);
  } else if (progress_ == Progress::completed && established_.role == Role::acceptor &&
             may_retransmit_) {
    auto records = finished_records(datagram);
    if (records.empty()) return progress_;
    connection_->pipe.offer(std::move(records));
    retransmit_last_flight();
  }
  return progress_;
}

TimerOutcome Handshake::on_timer(Time now) {
  if (progress_ != Progress::waiting) return TimerOutcome::nothing_due;
  if (now >= started_ + time_limit) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time_limit).count();
    fail({Drop::handshake_timed_out,
          std::string(peer_answered_ ? "handshake not completed" : "no answer") + " within " +
              std::to_string(seconds) + " s" + unproven_alert(),
          peer_answered_ ? "" : no_answer});
    return TimerOutcome::failed;
  }
  filter_->on_timer(now);
  feed(now);
  if (progress_ == Progress::failed) return TimerOutcome::failed;
  if (progress_ == Progress::completed) return TimerOutcome::nothing_due;
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
  Time first = started_ + time_limit;
  for (const auto& due : {connection_->pipe.timer.due, filter_->deadline()}) {
    if (due) first = std::min(first, *due);
  }
  return first;
}

std::string Handshake::unproven_alert() const {
  const auto alert = filter_->unproven_alert();
  return alert ? "; " + quoted_alert(*alert) + " came, perhaps not from the peer" : "";
}

std::vector<Drop> Handshake::take_drops() {
  return filter_->take_drops();
}

bool Handshake::peer_proved_key() const {
  const auto state = SSL_get_state(ssl());  // the last message that OpenSSL has processed
  return state == TLS_ST_SR_CERT_VRFY || state == TLS_ST_SR_CHANGE || state == TLS_ST_SR_FINISHED;
}

Datagrams Handshake::take_output() {
  return connection_->pipe.take_output();
}

}  // namespace routevpn::dtls
