#include "routevpn/dtls/listener.hpp"

#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "cookie.hpp"
#include "records.hpp"
#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

// The start of a ClientHello, RFC 6347 section 4.2.2:
//
//      0        1          4           6                 9                 12       14
//     +--------+----------+-----------+-----------------+-----------------+--------+-------
//     |  type  |  length  | sequence  | fragment offset | fragment length |version | random
//     +--------+----------+-----------+-----------------+-----------------+--------+-------
constexpr std::uint8_t client_hello = 1;
constexpr std::size_t message_header_bytes = 1 + 3 + 2 + 3 + 3;
constexpr std::size_t random_at = message_header_bytes + 2;
constexpr std::uint8_t dtls_major = 0xfe;

std::uint32_t load_be24(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 16 | load_be16(at + 1);
}

}  // namespace

std::optional<ConstBytes> client_hello_random(ConstBytes datagram) {
  const auto record = take_record(datagram);
  if (!record || record->header.type != record::ContentType::handshake ||
      record->header.version >> 8 != dtls_major || record->header.epoch != 0 ||
      record->fragment.size() < random_at + SSL3_RANDOM_SIZE) {
    return std::nullopt;
  }
  const std::uint8_t* message = record->fragment.data();
  if (message[0] != client_hello || load_be24(message + 6) != 0 ||
      load_be24(message + 9) < 2 + SSL3_RANDOM_SIZE) {
    return std::nullopt;
  }
  return record->fragment.subspan(random_at, SSL3_RANDOM_SIZE);
}

struct Listener::State {
  explicit State(std::shared_ptr<const Identity> identity_) : identity(std::move(identity_)) {
    replace_waiting();
  }

  CookieJar cookies;
  std::shared_ptr<const Identity> identity;
  std::unique_ptr<SslConnection> waiting;
  // DTLSv1_listen writes an address here; SslConnection::from holds the real one.
  Owned<BIO_ADDR, BIO_ADDR_free> unused{pki::require(BIO_ADDR_new(), "make an address")};

  // Returns the connection that waited before.
  std::unique_ptr<SslConnection> replace_waiting() {
    auto fresh = make_connection(identity->acceptor(), mtu_of(*identity));
    SSL_set_accept_state(fresh->ssl.get());
    fresh->cookies = &cookies;
    return std::exchange(waiting, std::move(fresh));
  }
};

Listener::Listener(std::shared_ptr<const Identity> identity)
    : state_(std::make_unique<State>(std::move(identity))) {}
Listener::~Listener() = default;

Listener::Answer Listener::receive(ConstBytes datagram, const SocketAddress& from, Time now,
                                   const Admit& admit) {
  Answer answer;
  const auto random = client_hello_random(datagram);
  if (!random) {
    answer.malformed = true;
    return answer;
  }
  state_->cookies.rotate(now);
  SslConnection& waiting = *state_->waiting;
  waiting.from = from;
  waiting.pipe.offer({datagram.begin(), datagram.end()});
  const int outcome = DTLSv1_listen(waiting.ssl.get(), state_->unused.get());
  ERR_clear_error();
  if (outcome == 1) {
    auto promoted = state_->replace_waiting();
    answer.refused = admit();
    if (answer.refused) return answer;
    promoted->cookies = nullptr;
    answer.handshake = Handshake::accept(std::move(promoted), *random, now);
    return answer;
  }
  answer.output = waiting.pipe.take_output();
  answer.malformed = answer.output.empty();
  if (outcome < 0) state_->replace_waiting();
  return answer;
}

void Listener::replace_identity(std::shared_ptr<const Identity> identity) {
  state_->identity = std::move(identity);
  state_->replace_waiting();
}

}  // namespace routevpn::dtls
