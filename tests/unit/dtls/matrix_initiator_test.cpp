// Negative matrix, our initiator: messages that are missing, repeated, reordered, foreign, empty or
// damaged.
#include <algorithm>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace routevpn::test::scripted;
using dtls::Role;

namespace {

constexpr Flight first_flight = Flight::server_hello;
constexpr Flight last_flight = Flight::server_finish;
constexpr auto wrong_message = "unexpected message";

}  // namespace

TEST_CASE("the initiator refuses a flight without one of its messages") {
  check_rows(Role::initiator,
             {
                 {"no HelloVerifyRequest", Ending::times_out, "",
                  missing(Flight::hello_verify, Step::hello_verify_request)},
                 {"no ServerHello", Ending::refused, wrong_message,
                  missing(first_flight, Step::server_hello)},
                 {"no Certificate", Ending::refused, wrong_message,
                  missing(first_flight, Step::certificate)},
                 {"no ServerKeyExchange", Ending::refused, wrong_message,
                  missing(first_flight, Step::server_key_exchange)},
                 {"no CertificateRequest", Ending::completes, "",
                  missing(first_flight, Step::certificate_request)},
                 {"no ServerHelloDone", Ending::times_out, "",
                  missing(first_flight, Step::server_hello_done)},
                 {"nothing", Ending::times_out, "", replaced_all(first_flight, {})},
                 {"no ChangeCipherSpec", Ending::times_out, counted_unexpected,
                  missing(last_flight, Step::change_cipher_spec)},
                 {"no Finished", Ending::times_out, "", missing(last_flight, Step::finished)},
                 {"no last flight", Ending::times_out, "", replaced_all(last_flight, {})},
             });
}

TEST_CASE("the initiator refuses a repeated message") {
  check_rows(Role::initiator,
             {
                 {"two HelloVerifyRequests", Ending::times_out, "",
                  repeated(Flight::hello_verify, Step::hello_verify_request)},
                 {"two ServerHellos", Ending::times_out, counted_unexpected,
                  repeated(first_flight, Step::server_hello)},
                 {"two Certificates", Ending::times_out, counted_unexpected,
                  repeated(first_flight, Step::certificate)},
                 {"two ServerKeyExchanges", Ending::times_out, counted_unexpected,
                  repeated(first_flight, Step::server_key_exchange)},
                 {"two CertificateRequests", Ending::times_out, counted_unexpected,
                  repeated(first_flight, Step::certificate_request)},
                 {"two ServerHelloDones", Ending::times_out, counted_unexpected,
                  repeated(first_flight, Step::server_hello_done)},
                 {"two ChangeCipherSpecs", Ending::completes, "",
                  repeated(last_flight, Step::change_cipher_spec)},
                 {"two Finisheds", Ending::completes, "", repeated(last_flight, Step::finished)},
                 {"a Certificate and an empty Certificate", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::empty_certificate, Step::server_key_exchange)},
                 {"an empty Certificate and a Certificate", Ending::refused, length_mismatch,
                  inserted(first_flight, Step::empty_certificate, Step::certificate)},
             });
}

TEST_CASE("the initiator refuses messages in another order") {
  check_rows(
      Role::initiator,
      {
          {"Certificate before ServerHello", Ending::refused, wrong_message,
           swapped(first_flight, Step::server_hello, Step::certificate)},
          {"ServerKeyExchange before Certificate", Ending::refused, wrong_message,
           swapped(first_flight, Step::certificate, Step::server_key_exchange)},
          {"CertificateRequest before ServerKeyExchange", Ending::refused, wrong_message,
           swapped(first_flight, Step::server_key_exchange, Step::certificate_request)},
          {"ServerHelloDone before CertificateRequest", Ending::times_out, counted_unexpected,
           swapped(first_flight, Step::certificate_request, Step::server_hello_done)},
          {"ServerHello without HelloVerifyRequest",
           Ending::completes,
           "",
           {.verifies_hello = false}},
          {"Finished before ChangeCipherSpec", Ending::times_out, counted_unexpected,
           swapped(last_flight, Step::change_cipher_spec, Step::finished)},
          {"Finished before ServerHelloDone", Ending::times_out, counted_unexpected,
           inserted(first_flight, Step::finished, Step::server_hello_done)},
          {"Finished before ServerHello", Ending::times_out, counted_unexpected,
           inserted(first_flight, Step::finished, Step::server_hello)},
          {"ChangeCipherSpec in the first flight", Ending::completes, "",
           inserted(first_flight, Step::change_cipher_spec, Step::certificate)},
          {"ChangeCipherSpec before ServerHello", Ending::completes, "",
           inserted(first_flight, Step::change_cipher_spec, Step::server_hello)},
      });
}

TEST_CASE("the initiator refuses a message of another kind") {
  check_rows(Role::initiator,
             {
                 {"HelloRequest before ServerHello", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::hello_request, Step::server_hello)},
                 {"HelloRequest in the flight", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::hello_request, Step::server_key_exchange)},
                 {"HelloRequest before Finished", Ending::times_out, counted_unexpected,
                  inserted(last_flight, Step::hello_request, Step::change_cipher_spec)},
                 {"ClientHello", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::client_hello, Step::certificate)},
                 {"ClientKeyExchange", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::client_key_exchange, Step::server_hello_done)},
                 {"CertificateVerify", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::certificate_verify, Step::server_hello_done)},
                 {"NewSessionTicket", Ending::times_out, counted_unexpected,
                  inserted(last_flight, Step::new_session_ticket, Step::change_cipher_spec)},
                 {"unknown type", Ending::times_out, counted_unexpected,
                  inserted(first_flight, Step::unknown, Step::certificate)},
                 {"Certificate as CertificateVerify", Ending::times_out, counted_unexpected,
                  retyped(Step::certificate, Step::certificate_verify)},
             });
}

TEST_CASE("the initiator drops application data before Finished") {
  check_rows(Role::initiator,
             {
                 {"before ServerHello", Ending::completes, "",
                  inserted(first_flight, Step::application_data, Step::server_hello)},
                 {"before ChangeCipherSpec, sealed", Ending::completes, "",
                  inserted(last_flight, Step::application_data, Step::change_cipher_spec)},
                 {"before Finished, sealed", Ending::completes, "",
                  inserted(last_flight, Step::application_data, Step::finished)},
                 {"in the place of Finished", Ending::times_out, "",
                  replaced(last_flight, Step::finished, Step::application_data)},
             });
}

TEST_CASE("the initiator refuses empty, short, long and damaged messages") {
  check_rows(
      Role::initiator,
      {
          {"empty Certificate message", Ending::refused, length_mismatch,
           emptied(Step::certificate)},
          {"short Certificate", Ending::refused, length_mismatch, shortened(Step::certificate)},
          {"long Certificate", Ending::refused, length_mismatch, lengthened(Step::certificate)},
          {"no certificate", Ending::refused, length_mismatch,
           replaced(first_flight, Step::certificate, Step::empty_certificate)},
          {"empty ServerKeyExchange", Ending::refused, "length too short",
           emptied(Step::server_key_exchange)},
          {"short ServerKeyExchange", Ending::refused, length_mismatch,
           shortened(Step::server_key_exchange)},
          {"long ServerKeyExchange", Ending::refused, length_mismatch,
           lengthened(Step::server_key_exchange)},
          {"curve secp192r1", Ending::refused, "wrong curve", {.group = secp192r1}},
          {"unknown curve", Ending::refused, "wrong curve", {.group = 0x1234}},
          {"empty share",
           Ending::refused,
           "bad ecpoint",
           {.share = [](Octets& share) { share = {}; }}},
          {"share of zeros",
           Ending::refused,
           "failed during derivation",
           {.share = [](Octets& share) { std::ranges::fill(share, std::uint8_t{0}); }}},
          {"long share",
           Ending::refused,
           "bad ecpoint",
           {.share = [](Octets& share) { share.push_back(1); }}},
          {"share that is no point of P-256",
           Ending::refused,
           "point is not on curve",
           {.group = secp256r1, .share = [](Octets& share) { share.back() ^= 1; }}},
          {"damaged signature", Ending::refused, "signature", damaged(Step::server_key_exchange)},
          {"signature with SHA-1", Ending::refused, "wrong signature type", {.scheme = ecdsa_sha1}},
          {"signature that names RSA",
           Ending::refused,
           "wrong signature type",
           {.scheme = rsa_pkcs1_sha256}},
          {"signature that names Ed25519",
           Ending::refused,
           "wrong signature type",
           {.scheme = ed25519_scheme}},
          {"empty CertificateRequest", Ending::refused, length_mismatch,
           emptied(Step::certificate_request)},
          {"short CertificateRequest", Ending::refused, length_mismatch,
           shortened(Step::certificate_request)},
          {"long ServerHelloDone", Ending::times_out, counted_malformed,
           lengthened(Step::server_hello_done)},
          {"empty Finished", Ending::times_out, counted_malformed, emptied(Step::finished)},
          {"short Finished", Ending::refused, "bad digest length", shortened(Step::finished)},
          {"long Finished", Ending::refused, "bad digest length", lengthened(Step::finished)},
          {"damaged Finished", Ending::refused, "digest check failed", damaged(Step::finished)},
      });
}
