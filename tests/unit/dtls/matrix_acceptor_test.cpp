// Negative matrix, our acceptor: messages that are missing, repeated, reordered, foreign, empty or
// damaged.
#include <algorithm>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Role;

namespace {

constexpr Flight clients = Flight::client_finish;
constexpr auto unexpected = "handshake_unexpected";
constexpr auto malformed = "handshake_malformed";
constexpr auto bad_length = "length mismatch";

}  // namespace

TEST_CASE("the acceptor refuses a flight without one of its messages") {
  check_rows(
      Role::acceptor,
      {
          {"no Certificate", Ending::times_out, unexpected, missing(clients, Step::certificate)},
          {"no ClientKeyExchange", Ending::times_out, unexpected,
           missing(clients, Step::client_key_exchange)},
          {"no CertificateVerify", Ending::times_out, "",
           missing(clients, Step::certificate_verify)},
          {"no ChangeCipherSpec", Ending::times_out, unexpected,
           missing(clients, Step::change_cipher_spec)},
          {"no Finished", Ending::times_out, "", missing(clients, Step::finished)},
          {"nothing", Ending::times_out, "", replaced_all(clients, {})},
          {"only ChangeCipherSpec and Finished", Ending::times_out, "",
           replaced_all(clients, {Step::change_cipher_spec, Step::finished})},
      });
}

TEST_CASE("the acceptor refuses a repeated message") {
  check_rows(
      Role::acceptor,
      {
          {"two Certificates", Ending::times_out, unexpected, repeated(clients, Step::certificate)},
          {"two ClientKeyExchanges", Ending::times_out, unexpected,
           repeated(clients, Step::client_key_exchange)},
          {"two CertificateVerifys", Ending::times_out, unexpected,
           repeated(clients, Step::certificate_verify)},
          {"two ChangeCipherSpecs", Ending::completes, "",
           repeated(clients, Step::change_cipher_spec)},
          {"a Certificate and an empty Certificate", Ending::times_out, unexpected,
           inserted(clients, Step::empty_certificate, Step::client_key_exchange)},
          {"an empty Certificate and a Certificate", Ending::refused, "it sent no certificate",
           inserted(clients, Step::empty_certificate, Step::certificate), false,
           Drop::certificate_refused},
      });
}

TEST_CASE("the acceptor refuses messages in another order") {
  check_rows(Role::acceptor,
             {
                 {"ClientKeyExchange first", Ending::times_out, unexpected,
                  swapped(clients, Step::certificate, Step::client_key_exchange)},
                 {"CertificateVerify before ClientKeyExchange", Ending::times_out, unexpected,
                  swapped(clients, Step::client_key_exchange, Step::certificate_verify)},
                 {"ChangeCipherSpec before CertificateVerify", Ending::completes, "",
                  swapped(clients, Step::certificate_verify, Step::change_cipher_spec)},
                 {"ChangeCipherSpec first", Ending::completes, "",
                  replaced_all(clients, {Step::change_cipher_spec, Step::certificate,
                                         Step::client_key_exchange, Step::certificate_verify,
                                         Step::finished})},
                 {"Finished before ChangeCipherSpec", Ending::times_out, unexpected,
                  swapped(clients, Step::change_cipher_spec, Step::finished)},
                 {"Finished first", Ending::times_out, unexpected,
                  inserted(clients, Step::finished, Step::certificate)},
                 {"Finished before CertificateVerify", Ending::times_out, unexpected,
                  swapped(clients, Step::certificate_verify, Step::finished)},
             });
}

TEST_CASE("the acceptor refuses a message of another kind") {
  check_rows(Role::acceptor,
             {
                 {"HelloRequest", Ending::times_out, unexpected,
                  inserted(clients, Step::hello_request, Step::certificate)},
                 {"ServerHello", Ending::times_out, unexpected,
                  inserted(clients, Step::server_hello, Step::certificate)},
                 {"another ClientHello", Ending::times_out, unexpected,
                  inserted(clients, Step::client_hello, Step::certificate)},
                 {"NewSessionTicket", Ending::times_out, unexpected,
                  inserted(clients, Step::new_session_ticket, Step::change_cipher_spec)},
                 {"unknown type", Ending::times_out, unexpected,
                  inserted(clients, Step::unknown, Step::certificate)},
                 {"Certificate as ServerKeyExchange", Ending::times_out, unexpected,
                  retyped(Step::certificate, Step::server_key_exchange)},
                 {"Finished as CertificateVerify", Ending::refused, "unexpected message",
                  retyped(Step::finished, Step::certificate_verify)},
             });
}

TEST_CASE("the acceptor drops application data before Finished") {
  check_rows(Role::acceptor,
             {
                 {"before the flight", Ending::completes, "",
                  inserted(clients, Step::application_data, Step::certificate)},
                 {"before ChangeCipherSpec, sealed", Ending::completes, "",
                  inserted(clients, Step::application_data, Step::change_cipher_spec)},
                 {"before Finished, sealed", Ending::completes, "",
                  inserted(clients, Step::application_data, Step::finished)},
                 {"in the place of Finished", Ending::times_out, "",
                  replaced(clients, Step::finished, Step::application_data)},
             });
}

TEST_CASE("the acceptor refuses empty, short, long and damaged messages") {
  check_rows(
      Role::acceptor,
      {
          {"empty Certificate message", Ending::refused, bad_length, emptied(Step::certificate)},
          {"short Certificate", Ending::refused, bad_length, shortened(Step::certificate)},
          {"long Certificate", Ending::refused, bad_length, lengthened(Step::certificate)},
          {"no certificate", Ending::refused, "it sent no certificate",
           replaced(clients, Step::certificate, Step::empty_certificate), false,
           Drop::certificate_refused},
          {"no certificate and no CertificateVerify", Ending::refused, "it sent no certificate",
           replaced_all(clients, {Step::empty_certificate, Step::client_key_exchange,
                                  Step::change_cipher_spec, Step::finished}),
           false, Drop::certificate_refused},
          {"empty ClientKeyExchange", Ending::refused, "missing tmp ecdh key",
           emptied(Step::client_key_exchange)},
          {"short ClientKeyExchange", Ending::refused, bad_length,
           shortened(Step::client_key_exchange)},
          {"long ClientKeyExchange", Ending::refused, bad_length,
           lengthened(Step::client_key_exchange)},
          {"empty share",
           Ending::refused,
           "bad key share",
           {.share = [](Octets& share) { share = {}; }}},
          {"share of zeros",
           Ending::refused,
           "failed during derivation",
           {.share = [](Octets& share) { std::ranges::fill(share, std::uint8_t{0}); }}},
          {"long share",
           Ending::refused,
           "bad key share",
           {.share = [](Octets& share) { share.push_back(1); }}},
          {"empty CertificateVerify", Ending::refused, "bad packet",
           emptied(Step::certificate_verify)},
          {"short CertificateVerify", Ending::refused, bad_length,
           shortened(Step::certificate_verify)},
          {"damaged CertificateVerify", Ending::refused, "bad signature",
           damaged(Step::certificate_verify)},
          {"CertificateVerify with SHA-1",
           Ending::refused,
           "wrong signature type",
           {.scheme = ecdsa_sha1}},
          {"CertificateVerify that names RSA",
           Ending::refused,
           "wrong signature type",
           {.scheme = rsa_pkcs1_sha256}},
          {"CertificateVerify that names Ed25519",
           Ending::refused,
           "wrong signature type",
           {.scheme = ed25519_scheme}},
          {"empty Finished", Ending::times_out, malformed, emptied(Step::finished)},
          {"short Finished", Ending::refused, "bad digest length", shortened(Step::finished)},
          {"long Finished", Ending::refused, "bad digest length", lengthened(Step::finished)},
          {"damaged Finished", Ending::refused, "digest check failed", damaged(Step::finished)},
      });
}
