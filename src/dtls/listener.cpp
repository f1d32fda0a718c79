#include "routevpn/dtls/listener.hpp"

#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "client_hello.hpp"
#include "cookie.hpp"
#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

constexpr std::size_t random_at = 2;  // of the ClientHello's body

}  // namespace

std::optional<ConstBytes> client_hello_random(ConstBytes datagram) {
  const auto start = take_hello_start(datagram);
  if (!start || start->message.fragment.size() < random_at + random_bytes) return std::nullopt;
  return start->message.fragment.subspan(random_at, random_bytes);
}

struct Listener::State {
  explicit State(std::shared_ptr<const Identity> identity_) : identity(std::move(identity_)) {}

  CookieJar cookies;
  std::shared_ptr<const Identity> identity;

  [[nodiscard]] std::unique_ptr<SslConnection> connect(const ClientHello& hello) const;
};

// Gives OpenSSL the ClientHello as DTLSv1_listen() expects it: OpenSSL then goes on as if it had
// made the cookie exchange itself. None: OpenSSL refused the ClientHello.
std::unique_ptr<SslConnection> Listener::State::connect(const ClientHello& hello) const {
  auto connection = make_connection(*identity, Role::acceptor);
  SSL_set_accept_state(connection->ssl.get());
  std::vector<std::uint8_t> bytes(hello.record.begin(), hello.record.end());
  auto header = record::decode(bytes.data());
  header.sequence = 0;  // see ReceiveFilter
  record::encode(header, bytes.data());
  connection->pipe.offer(std::move(bytes));
  // DTLSv1_listen() writes the peer's address here, which our pipe does not know.
  const Owned<BIO_ADDR, BIO_ADDR_free> unused(pki::require(BIO_ADDR_new(), "make an address"));
  const bool accepted = DTLSv1_listen(connection->ssl.get(), unused.get()) == 1;
  ERR_clear_error();
  if (!accepted) connection.reset();
  return connection;
}

Listener::Listener(std::shared_ptr<const Identity> identity)
    : state_(std::make_unique<State>(std::move(identity))) {}
Listener::~Listener() = default;

Listener::Answer Listener::receive(ConstBytes datagram, const SocketAddress& from, Time now,
                                   const Admit& admit) {
  Answer answer;
  const auto hello = parse_client_hello(datagram);
  if (!hello) {
    answer.malformed = true;
    return answer;
  }
  state_->cookies.rotate(now);
  if (!hello->may_have_cookie() || !state_->cookies.is_valid(from, *hello)) {
    if (const auto cookie = state_->cookies.make(from, *hello)) {
      const auto request = make_hello_verify_request(hello->number, *cookie);
      answer.output.emplace_back(request.begin(), request.end());
    }
    return answer;
  }
  answer.refused = admit();
  if (answer.refused) return answer;
  auto connection = state_->connect(*hello);
  answer.malformed = connection == nullptr;
  if (answer.malformed) return answer;
  answer.handshake = Handshake::accept(std::move(connection), hello->random, hello->number, now);
  return answer;
}

void Listener::replace_identity(std::shared_ptr<const Identity> identity) {
  state_->identity = std::move(identity);
}

}  // namespace routevpn::dtls
