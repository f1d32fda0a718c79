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

bool control_messages_agreed(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == control_alpn.substr(1);
}

}  // namespace

struct Handshake::State {
  State(Role role_, std::unique_ptr<SslConnection> connection_, Time now)
      : role(role_), connection(std::move(connection_)), started(now) {}

  Role role;
  std::unique_ptr<SslConnection> connection;
  Time started;
  Progress progress = Progress::waiting;
  HandshakeFailure failure;
  Established established;
  std::array<std::uint8_t, SSL3_RANDOM_SIZE> client_random{};
  bool peer_answered = false;
  bool may_retransmit = true;  // after completion, until OpenSSL reports an error

  [[nodiscard]] SSL* ssl() const { return connection->ssl.get(); }
  [[nodiscard]] DatagramPipe& pipe() const { return connection->pipe; }

  void advance(Time now);
  void retransmit_last_flight();
  void complete();
  void establish(record::CipherSuite suite);
  void fail(HandshakeFailure why);
};

void Handshake::State::fail(HandshakeFailure why) {
  progress = Progress::failed;
  failure = std::move(why);
}

void Handshake::State::advance(Time now) {
  pipe().timer.now = now;
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl());
  if (outcome == 1) {
    complete();
  } else if (SSL_get_error(ssl(), outcome) != SSL_ERROR_WANT_READ) {
    auto why = failure_from_queue();
    fail(connection->refusal ? *connection->refusal : std::move(why));
  }
  ERR_clear_error();
}

// If the acceptor's last flight was lost, the peer retransmits its Finished. OpenSSL answers it
// with its own last flight while it reads.
void Handshake::State::retransmit_last_flight() {
  ERR_clear_error();
  unsigned char nothing = 0;
  const int outcome = SSL_read(ssl(), &nothing, sizeof nothing);
  may_retransmit = SSL_get_error(ssl(), outcome) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
}

void Handshake::State::complete() {
  const auto suite = suite_of(ssl());
  const auto& used = pipe().used();
  HandshakeFailure why;
  if (SSL_get_extms_support(ssl()) != 1) {
    why.text = no_extended_master_secret;
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
  pipe().take_output();  // without our Finished the peer does not complete either
  fail(std::move(why));
}

void Handshake::State::establish(record::CipherSuite suite) {
  const KeyBlock keys = derive_key_block(ssl(), suite);
  const bool initiator = role == Role::initiator;
  established.role = role;
  established.suite = suite;
  established.cipher_name = SSL_get_cipher_name(ssl());
  established.send = initiator ? keys.initiator : keys.acceptor;
  established.receive = initiator ? keys.acceptor : keys.initiator;
  const auto& used = pipe().used();
  established.first_send_sequence = *used.highest_sequence + 1 + sequence_gap;
  if (record::traits(suite).explicit_nonce_bytes != 0) {
    established.explicit_nonce_base = used.nonce_base;
  }
  established.control_messages = control_messages_agreed(ssl());
  established.peer = describe(SSL_get0_peer_certificate(ssl()));
  SSL_get_client_random(ssl(), client_random.data(), client_random.size());
  pipe().take_over(established.first_send_sequence);
  progress = Progress::completed;
}

Handshake::Handshake(std::unique_ptr<State> state) : state_(std::move(state)) {}
Handshake::~Handshake() = default;

std::unique_ptr<Handshake> Handshake::initiate(const std::shared_ptr<const Identity>& identity,
                                               Time now) {
  auto connection = make_connection(identity->initiator());
  SSL_set_connect_state(connection->ssl.get());
  std::unique_ptr<Handshake> handshake(
      new Handshake(std::make_unique<State>(Role::initiator, std::move(connection), now)));
  handshake->state_->advance(now);
  return handshake;
}

std::unique_ptr<Handshake> Handshake::accept(std::unique_ptr<SslConnection> connection,
                                             ConstBytes client_random, Time now) {
  std::unique_ptr<Handshake> handshake(
      new Handshake(std::make_unique<State>(Role::acceptor, std::move(connection), now)));
  State& state = *handshake->state_;
  std::copy_n(client_random.begin(), state.client_random.size(), state.client_random.begin());
  state.peer_answered = true;
  state.advance(now);
  return handshake;
}

Progress Handshake::receive(ConstBytes datagram, Time now) {
  State& state = *state_;
  const bool over = state.progress == Progress::failed ||
                    (state.progress == Progress::completed &&
                     (state.role == Role::initiator || !state.may_retransmit));
  if (over) return state.progress;
  auto records = filter(datagram, state.progress);
  if (records.empty()) return state.progress;
  state.peer_answered = true;
  state.pipe().offer(std::move(records));
  if (state.progress == Progress::completed) {
    state.retransmit_last_flight();
  } else {
    state.advance(now);
  }
  return state.progress;
}

TimerOutcome Handshake::on_timer(Time now) {
  State& state = *state_;
  if (state.progress != Progress::waiting) return TimerOutcome::nothing_due;
  if (now >= state.started + time_limit) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time_limit).count();
    state.fail({Drop::handshake_timed_out,
                std::string(state.peer_answered ? "handshake not completed" : "no answer") +
                    " within " + std::to_string(seconds) + " s"});
    return TimerOutcome::failed;
  }
  auto& timer = state.pipe().timer;
  if (!timer.due || now < *timer.due) return TimerOutcome::nothing_due;

  timer.now = now;
  ERR_clear_error();
  const long outcome = DTLSv1_handle_timeout(state.ssl());
  if (outcome == 0) timer.due = now + timer_retry;
  if (outcome < 0) state.fail(failure_from_queue());
  ERR_clear_error();
  if (outcome < 0) return TimerOutcome::failed;
  return outcome == 0 ? TimerOutcome::nothing_due : TimerOutcome::retransmitted;
}

std::optional<Time> Handshake::deadline() const {
  if (state_->progress != Progress::waiting) return std::nullopt;
  const Time end = state_->started + time_limit;
  const auto& due = state_->pipe().timer.due;
  return due ? std::min(*due, end) : end;
}

Datagrams Handshake::take_output() {
  return state_->pipe().take_output();
}
Progress Handshake::progress() const {
  return state_->progress;
}
const HandshakeFailure& Handshake::failure() const {
  return state_->failure;
}
const Established& Handshake::established() const {
  return state_->established;
}
ConstBytes Handshake::client_random() const {
  return state_->client_random;
}

}  // namespace routevpn::dtls
