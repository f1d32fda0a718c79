// Negative matrix: what the hellos negotiate, and the cookie.
#include <algorithm>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Role;

namespace {

constexpr std::uint16_t unknown_value = 0x1234;

Deviation suites(const std::vector<std::uint16_t>& offered) {
  return hello_changed([offered](Hello& hello) { hello.suites = offered; });
}

Deviation groups(const std::vector<std::uint16_t>& offered) {
  return hello_changed([offered](Hello& hello) { hello.offer_groups(offered); });
}

Deviation schemes(const std::vector<std::uint16_t>& offered) {
  return hello_changed([offered](Hello& hello) { hello.offer_schemes(offered); });
}

Deviation extension(std::uint16_t type, const Octets& value) {
  return hello_changed([type, value](Hello& hello) { hello.extensions[type] = value; });
}

Deviation without_extension(std::uint16_t type) {
  return hello_changed([type](Hello& hello) { hello.extensions.erase(type); });
}

Deviation compressions(const Octets& offered) {
  return hello_changed([offered](Hello& hello) { hello.compressions = offered; });
}

Deviation version(std::uint16_t value) {
  return hello_changed([value](Hello& hello) { hello.version = value; });
}

Deviation second_hello(std::function<void(Hello&)> change) {
  return hello_changed(Flight::second_hello, std::move(change));
}

Deviation cookie(std::function<void(Octets&)> change) {
  return second_hello([change = std::move(change)](Hello& hello) { change(hello.cookie); });
}

}  // namespace

TEST_CASE("the acceptor refuses a downgrade in the ClientHello") {
  const std::string no_suite = "no shared cipher";
  check_rows(
      Role::acceptor,
      {
          {"DTLS 1.0", Ending::refused, "unsupported protocol", version(record::dtls_1_0)},
          {"DTLS 1.0 in the second hello only", Ending::no_handshake, "",
           second_hello([](Hello& hello) { hello.version = record::dtls_1_0; })},
          {"a version of TLS", Ending::no_handshake, "", version(0x0303)},
          {"CBC suite", Ending::refused, no_suite, suites({ecdhe_ecdsa_aes128_cbc_sha})},
          {"RSA key exchange", Ending::refused, no_suite, suites({rsa_aes128_gcm_sha256})},
          {"NULL cipher", Ending::refused, no_suite, suites({rsa_null_sha256})},
          {"no suites", Ending::refused, "no ciphers specified", suites({})},
          {"curve secp192r1", Ending::refused, no_suite, groups({secp192r1})},
          {"an unknown curve", Ending::refused, no_suite, groups({unknown_value})},
          {"an empty list of curves", Ending::refused, "bad extension", groups({})},
          {"signatures with SHA-1", Ending::refused, "no shared signature algorithms",
           schemes({ecdsa_sha1})},
          {"no signature algorithms", Ending::refused, "no suitable signature algorithm",
           without_extension(signature_algorithms)},
          {"no extended master secret", Ending::refused, "extended master secret",
           without_extension(extended_master_secret)},
          {"no extended master secret in the second hello", Ending::no_handshake, "",
           second_hello([](Hello& hello) { hello.extensions.erase(extended_master_secret); })},
          {"only compression", Ending::refused, "compression", compressions({1})},
          {"compression besides none", Ending::completes, "", compressions({1, 0})},
          {"no list of compressions", Ending::refused, "compression", compressions({})},
          {"a renegotiation", Ending::refused, "renegotiation mismatch",
           extension(renegotiation_info, {2, 1, 1})},
          {"a list of curves cut short", Ending::refused, "bad extension",
           extension(supported_groups, {0, 9})},
          {"an empty ALPN list", Ending::refused, "bad extension",
           extension(alpn_extension, {0, 0})},
          {"an empty ALPN name", Ending::refused, "bad extension",
           extension(alpn_extension, {0, 1, 0})},
      });
}

TEST_CASE("the acceptor resumes no session") {
  check_rows(
      Role::acceptor,
      {
          {"session ID", Ending::completes, "",
           hello_changed([](Hello& hello) { hello.session_id = Octets(32, 0x5a); })},
          {"session ticket", Ending::completes, "", extension(session_ticket, Octets(180, 0x5a))},
          {"empty session ticket", Ending::completes, "", extension(session_ticket, {})},
      });
}

TEST_CASE("a ClientHello without a valid cookie, or a damaged one, makes no association") {
  check_rows(
      Role::acceptor,
      {
          {"wrong cookie", Ending::no_handshake, "",
           cookie([](Octets& cookie) { cookie.back() ^= 1; })},
          {"cookie cut short", Ending::no_handshake, "",
           cookie([](Octets& cookie) { cookie.pop_back(); })},
          {"cookie of 255 bytes", Ending::no_handshake, "",
           cookie([](Octets& cookie) { cookie.resize(255); })},
          {"no cookie", Ending::no_handshake, "", cookie([](Octets& cookie) { cookie = {}; })},
          {"cookie of another hello", Ending::no_handshake, "",
           second_hello([](Hello& hello) { hello.random.back() ^= 1; })},
          {"empty hello", Ending::no_handshake, "", emptied(Step::client_hello)},
          // The listener has no state before the cookie, so it keeps no fragments.
          {"hello in two fragments", Ending::no_handshake, "",
           cut_in_two(Flight::second_hello, Step::client_hello, 80)},
          {"hello cut short", Ending::refused, "length mismatch", shortened(Step::client_hello)},
          {"hello with bytes behind it", Ending::refused, "length mismatch",
           lengthened(Step::client_hello)},
      });
}

TEST_CASE("the initiator refuses a downgrade in the ServerHello") {
  const std::string wrong_suite = "wrong cipher returned";
  check_rows(
      Role::initiator,
      {
          {"DTLS 1.0", Ending::refused, "unsupported protocol", version(record::dtls_1_0)},
          {"a version of TLS", Ending::refused, "unsupported protocol", version(0x0303)},
          {"CBC suite", Ending::refused, wrong_suite, suites({ecdhe_ecdsa_aes128_cbc_sha})},
          {"RSA key exchange", Ending::refused, wrong_suite, suites({rsa_aes128_gcm_sha256})},
          {"NULL cipher", Ending::refused, wrong_suite, suites({rsa_null_sha256})},
          {"an unknown suite", Ending::refused, "unknown cipher", suites({unknown_value})},
          {"suite of the other kind of certificate", Ending::refused, "wrong certificate type",
           suites({ecdhe_rsa_aes128_gcm_sha256})},
          {"no extended master secret", Ending::refused, "extended master secret",
           without_extension(extended_master_secret)},
          {"compression", Ending::refused, "compression disabled", compressions({1})},
          {"a renegotiation", Ending::refused, "renegotiation mismatch",
           extension(renegotiation_info, {2, 1, 1})},
          {"another ALPN", Ending::refused, "bad extension", {.alpn = "routevpn/9"}},
          {"two ALPN names", Ending::refused, "bad extension",
           extension(alpn_extension, {0, 4, 1, 'a', 1, 'b'})},
          {"an empty ALPN list", Ending::refused, "bad extension",
           extension(alpn_extension, {0, 0})},
          {"a session ticket that was not offered", Ending::refused, "unsolicited extension",
           extension(session_ticket, {})},
          {"an unknown extension", Ending::completes, "", extension(unknown_value, {})},
          {"a new session ID", Ending::completes, "",
           hello_changed([](Hello& hello) { hello.session_id = Octets(32, 0x5a); })},
          {"a session ID of 33 bytes", Ending::refused, "session id too long",
           hello_changed([](Hello& hello) { hello.session_id = Octets(33, 0x5a); })},
          {"empty hello", Ending::refused, "length mismatch", emptied(Step::server_hello)},
          {"hello cut short", Ending::refused, "bad length", shortened(Step::server_hello)},
          {"hello with bytes behind it", Ending::refused, "bad length",
           lengthened(Step::server_hello)},
          {"empty HelloVerifyRequest", Ending::refused, "length mismatch",
           emptied(Step::hello_verify_request)},
          {"HelloVerifyRequest cut short", Ending::refused, "length mismatch",
           shortened(Step::hello_verify_request)},
      });
}

// The cookie is bound to the first ClientHello, and the transcript has the second.
TEST_CASE("a change of the ALPN between the hellos is refused") {
  const auto on_the_path = [](Record& record) {
    const std::string name = "routevpn/1";
    auto& bytes = record.payload;
    const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
    if (found != bytes.end()) *(found + 9) = '9';
  };
  check_rows(Role::acceptor,
             {
                 {"by the peer", Ending::no_handshake, "",
                  second_hello([](Hello& hello) { hello.offer_alpn("h2"); })},
                 {"on the path", Ending::no_handshake, "",
                  records_changed(Flight::second_hello, Step::client_hello, on_the_path)},
             });
  check_rows(Role::initiator,
             {
                 {"on the path", Ending::refused, "bad extension",
                  records_changed(Flight::server_hello, Step::server_hello, on_the_path)},
             });
}
