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

constexpr Flight initiators_flight = Flight::client_finish;

}  // namespace

TEST_CASE("the acceptor refuses a flight without one of its messages") {
  check_rows(Role::acceptor,
             {
                 {"no Certificate", Ending::times_out, counted_unexpected,
                  missing(initiators_flight, Step::certificate)},
                 {"no ClientKeyExchange", Ending::times_out, counted_unexpected,
                  missing(initiators_flight, Step::client_key_exchange)},
                 {"no CertificateVerify", Ending::times_out, "",
                  missing(initiators_flight, Step::certificate_verify)},
                 {"no ChangeCipherSpec", Ending::times_out, counted_unexpected,
                  missing(initiators_flight, Step::change_cipher_spec)},
                 {"no Finished", Ending::times_out, "", missing(initiators_flight, Step::finished)},
                 {"nothing", Ending::times_out, "", replaced_all(initiators_flight, {})},
                 {"only ChangeCipherSpec and Finished", Ending::times_out, "",
                  replaced_all(initiators_flight, {Step::change_cipher_spec, Step::finished})},
             });
}

TEST_CASE("the acceptor refuses a repeated message") {
  check_rows(
      Role::acceptor,
      {
          {"two Certificates", Ending::times_out, counted_unexpected,
           repeated(initiators_flight, Step::certificate)},
          {"two ClientKeyExchanges", Ending::times_out, counted_unexpected,
           repeated(initiators_flight, Step::client_key_exchange)},
          {"two CertificateVerifys", Ending::times_out, counted_unexpected,
           repeated(initiators_flight, Step::certificate_verify)},
          {"two ChangeCipherSpecs", Ending::completes, "",
           repeated(initiators_flight, Step::change_cipher_spec)},
          {"a Certificate and an empty Certificate", Ending::times_out, counted_unexpected,
           inserted(initiators_flight, Step::empty_certificate, Step::client_key_exchange)},
          {"an empty Certificate and a Certificate", Ending::refused, "it sent no certificate",
           inserted(initiators_flight, Step::empty_certificate, Step::certificate), false,
           Drop::certificate_refused},
      });
}

TEST_CASE("the acceptor refuses messages in another order") {
  check_rows(
      Role::acceptor,
      {
          {"ClientKeyExchange first", Ending::times_out, counted_unexpected,
           swapped(initiators_flight, Step::certificate, Step::client_key_exchange)},
          {"CertificateVerify before ClientKeyExchange", Ending::times_out, counted_unexpected,
           swapped(initiators_flight, Step::client_key_exchange, Step::certificate_verify)},
          {"ChangeCipherSpec before CertificateVerify", Ending::completes, "",
           swapped(initiators_flight, Step::certificate_verify, Step::change_cipher_spec)},
          {"ChangeCipherSpec first", Ending::completes, "",
           replaced_all(initiators_flight,
                        {Step::change_cipher_spec, Step::certificate, Step::client_key_exchange,
                         Step::certificate_verify, Step::finished})},
          {"Finished before ChangeCipherSpec", Ending::times_out, counted_unexpected,
           swapped(initiators_flight, Step::change_cipher_spec, Step::finished)},
          {"Finished first", Ending::times_out, counted_unexpected,
           inserted(initiators_flight, Step::finished, Step::certificate)},
          {"Finished before CertificateVerify", Ending::times_out, counted_unexpected,
           swapped(initiators_flight, Step::certificate_verify, Step::finished)},
      });
}

TEST_CASE("the acceptor refuses a message of another kind") {
  check_rows(Role::acceptor,
             {
                 {"HelloRequest", Ending::times_out, counted_unexpected,
                  inserted(initiators_flight, Step::hello_request, Step::certificate)},
                 {"ServerHello", Ending::times_out, counted_unexpected,
                  inserted(initiators_flight, Step::server_hello, Step::certificate)},
                 {"another ClientHello", Ending::times_out, counted_unexpected,
                  inserted(initiators_flight, Step::client_hello, Step::certificate)},
                 {"NewSessionTicket", Ending::times_out, counted_unexpected,
                  inserted(initiators_flight, Step::new_session_ticket, Step::change_cipher_spec)},
                 {"unknown type", Ending::times_out, counted_unexpected,
                  inserted(initiators_flight, Step::unknown, Step::certificate)},
                 {"Certificate as ServerKeyExchange", Ending::times_out, counted_unexpected,
                  retyped(Step::certificate, Step::server_key_exchange)},
                 {"Finished as CertificateVerify", Ending::refused, "unexpected message",
                  retyped(Step::finished, Step::certificate_verify)},
             });
}

TEST_CASE("the acceptor drops application data before Finished") {
  check_rows(Role::acceptor,
             {
                 {"before the flight", Ending::completes, "",
                  inserted(initiators_flight, Step::application_data, Step::certificate)},
                 {"before ChangeCipherSpec, sealed", Ending::completes, "",
                  inserted(initiators_flight, Step::application_data, Step::change_cipher_spec)},
                 {"before Finished, sealed", Ending::completes, "",
                  inserted(initiators_flight, Step::application_data, Step::finished)},
                 {"in the place of Finished", Ending::times_out, "",
                  replaced(initiators_flight, Step::finished, Step::application_data)},
             });
}

TEST_CASE("the acceptor refuses empty, short, long and damaged messages") {
  check_rows(
      Role::acceptor,
      {
          {"empty Certificate message", Ending::refused, length_mismatch,
           emptied(Step::certificate)},
          {"short Certificate", Ending::refused, length_mismatch, shortened(Step::certificate)},
          {"long Certificate", Ending::refused, length_mismatch, lengthened(Step::certificate)},
          {"no certificate", Ending::refused, "it sent no certificate",
           replaced(initiators_flight, Step::certificate, Step::empty_certificate), false,
           Drop::certificate_refused},
          {"no certificate and no CertificateVerify", Ending::refused, "it sent no certificate",
           replaced_all(initiators_flight, {Step::empty_certificate, Step::client_key_exchange,
                                            Step::change_cipher_spec, Step::finished}),
           false, Drop::certificate_refused},
          {"empty ClientKeyExchange", Ending::refused, "missing tmp ecdh key",
           emptied(Step::client_key_exchange)},
          {"short ClientKeyExchange", Ending::refused, length_mismatch,
           shortened(Step::client_key_exchange)},
          {"long ClientKeyExchange", Ending::refused, length_mismatch,
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
          {"short CertificateVerify", Ending::refused, length_mismatch,
           shortened(Step::certificate_verify)},
          {"damaged CertificateVerify", Ending::refused, "signature",
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
          {"empty Finished", Ending::times_out, counted_malformed, emptied(Step::finished)},
          {"short Finished", Ending::refused, "bad digest length", shortened(Step::finished)},
          {"long Finished", Ending::refused, "bad digest length", lengthened(Step::finished)},
          {"damaged Finished", Ending::refused, "digest check failed", damaged(Step::finished)},
      });
}
