// Handshake messages of DTLS 1.2 as bytes (RFC 5246 section 7.4, RFC 6347 section 4.2).
#pragma once

#include <map>
#include <string>

#include "scripted/crypto.hpp"

namespace routevpn::test::scripted {

// Handshake types, and above 199 what else a script can send.
enum class Step : std::uint8_t {
  hello_request = 0,
  client_hello = 1,
  server_hello = 2,
  hello_verify_request = 3,
  new_session_ticket = 4,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_verify = 15,
  client_key_exchange = 16,
  finished = 20,
  unknown = 99,
  empty_certificate = 200,  // a Certificate message without certificates
  change_cipher_spec = 201,
  application_data = 202,  // sealed when there are keys
};

inline constexpr std::size_t message_header_bytes = 12;
inline constexpr std::size_t random_bytes = 32;

// Cipher suites.
inline constexpr std::uint16_t rsa_null_sha256 = 0x003b;
inline constexpr std::uint16_t rsa_aes128_gcm_sha256 = 0x009c;
inline constexpr std::uint16_t ecdhe_ecdsa_aes128_cbc_sha = 0xc009;
inline constexpr std::uint16_t ecdhe_ecdsa_aes128_gcm_sha256 = 0xc02b;
inline constexpr std::uint16_t ecdhe_rsa_aes128_gcm_sha256 = 0xc02f;

// Extension types.
inline constexpr std::uint16_t supported_groups = 10;
inline constexpr std::uint16_t point_formats = 11;
inline constexpr std::uint16_t signature_algorithms = 13;
inline constexpr std::uint16_t alpn_extension = 16;
inline constexpr std::uint16_t extended_master_secret = 23;
inline constexpr std::uint16_t session_ticket = 35;
inline constexpr std::uint16_t renegotiation_info = 0xff01;

class Writer {
 public:
  Writer& number(std::uint64_t value, std::size_t size);  // big-endian
  Writer& bytes(ConstBytes value);
  // A vector with a length field of this size (RFC 5246 section 4.3).
  Writer& vector(std::size_t length_size, ConstBytes value);
  Writer& numbers16(std::size_t length_size, const std::vector<std::uint16_t>& values);
  Octets out;
};

// A ClientHello or a ServerHello.
struct Hello {
  std::uint16_t version = record::dtls_1_2;
  Octets random = Octets(random_bytes);
  Octets session_id;
  Octets cookie;                      // ClientHello
  std::vector<std::uint16_t> suites;  // ServerHello: the first
  Octets compressions = {0};          // ServerHello: the first
  std::map<std::uint16_t, Octets> extensions;

  static Hello of_client(const std::string& alpn);
  static Hello of_server(std::uint16_t suite, const std::string& alpn);
  void offer_groups(const std::vector<std::uint16_t>& groups);
  void offer_schemes(const std::vector<std::uint16_t>& schemes);
  void offer_alpn(const std::string& name);

  [[nodiscard]] Octets encode_client() const;
  [[nodiscard]] Octets encode_server() const;
  // Bytes that are absent are read as 0.
  static Hello decode_client(ConstBytes body);
  static Hello decode_server(ConstBytes body);

 private:
  [[nodiscard]] Octets encoded_extensions() const;
};

Octets encode_chain(const std::vector<Octets>& certificates);
Octets encode_verify_request(ConstBytes cookie);
Octets decode_cookie(ConstBytes hello_verify_request);
// The signed parameters of a ServerKeyExchange (RFC 8422 section 5.4).
Octets encode_parameters(std::uint16_t group, ConstBytes share);
Octets decode_share(ConstBytes server_key_exchange);
std::uint16_t decode_group(ConstBytes server_key_exchange);
// Scheme and signature, of ServerKeyExchange and CertificateVerify.
Octets encode_signature(std::uint16_t scheme, ConstBytes signature);
Octets encode_certificate_request();

}  // namespace routevpn::test::scripted
