#include "tools/attack.hpp"

#include <algorithm>
#include <array>

#include "routevpn/base/error.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::test {

namespace {

using record::ContentType;

constexpr std::uint8_t hello_request = 0;
constexpr std::uint8_t client_hello = 1;
constexpr std::uint8_t server_hello = 2;
constexpr std::uint8_t hello_verify_request = 3;
constexpr std::size_t message_header_bytes = 12;
constexpr std::size_t random_bytes = 32;

void append(Datagram& to, ConstBytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_be16(Datagram& to, std::size_t number) {
  to.push_back(static_cast<std::uint8_t>(number >> 8));
  to.push_back(static_cast<std::uint8_t>(number));
}

Datagram noise(std::size_t bytes, Chance& chance) {
  Datagram made(bytes);
  std::ranges::generate(made, [&] { return static_cast<std::uint8_t>(chance()); });
  return made;
}

std::size_t between(std::size_t least, std::size_t most, Chance& chance) {
  return std::uniform_int_distribution<std::size_t>(least, most)(chance);
}

Datagram make_record(ContentType type, std::uint16_t epoch, std::uint64_t sequence,
                     const Datagram& fragment) {
  Datagram made(record::header_bytes);
  record::encode(
      {type, record::dtls_1_2, epoch, sequence, static_cast<std::uint16_t>(fragment.size())},
      made.data());
  append(made, fragment);
  return made;
}

// RFC 6347 section 4.2.2, in one fragment.
Datagram make_message(std::uint8_t type, std::uint16_t number, const Datagram& body) {
  Datagram made = {type, 0};
  append_be16(made, body.size());
  append_be16(made, number);
  made.insert(made.end(), {0, 0, 0, 0});
  append_be16(made, body.size());
  append(made, body);
  return made;
}

std::uint64_t guessed_number(Chance& chance) {
  const auto guess = chance();
  if (guess % 4 == 0) return record::max_sequence;
  return guess % 4 == 1 ? chance() & record::max_sequence : chance() % 32;
}

Datagram handshake(std::uint8_t type, std::uint16_t number, const Datagram& body, Chance& chance) {
  return make_record(ContentType::handshake, 0, guessed_number(chance),
                     make_message(type, number, body));
}

Datagram make_server_hello(Chance& chance) {
  Datagram body = {0xfe, 0xfd};
  append(body, noise(random_bytes, chance));
  body.insert(body.end(), {0, 0xc0, 0x2b, 0});  // no session; ECDHE-ECDSA-AES128-GCM-SHA256
  constexpr std::array<std::uint8_t, 11> extensions = {0, 9, 0, 23, 0, 0, 0xff, 1, 0, 1, 0};
  append(body, extensions);  // extended master secret, renegotiation info
  return handshake(server_hello, static_cast<std::uint16_t>(chance() % 2), body, chance);
}

Datagram make_hello_verify_request(Chance& chance) {
  Datagram body = {0xfe, 0xff, 32};
  append(body, noise(32, chance));
  return handshake(hello_verify_request, 0, body, chance);
}

Datagram make_forged(std::size_t records, std::size_t bytes, Chance& chance) {
  Datagram made;
  for (std::size_t i = 0; i < records; ++i) {
    const std::uint64_t number = (std::uint64_t{1} << 47) | chance() >> 17;
    append(made, make_record(ContentType::application_data, 1, number, noise(bytes, chance)));
  }
  return made;
}

}  // namespace

const std::vector<std::string> attack_kinds = {
    "alert",        "change-cipher-spec", "hello-request", "hello-verify-request",
    "server-hello", "client-hello",       "garbage",       "forged",
    "forged-38"};

Datagram make_attack(const std::string& kind, Chance& chance) {
  if (kind == "alert") {
    return make_record(ContentType::alert, 0, guessed_number(chance), {2, 40});
  }
  if (kind == "change-cipher-spec") {
    return make_record(ContentType::change_cipher_spec, 0, guessed_number(chance), {1});
  }
  if (kind == "hello-request") {
    return handshake(hello_request, static_cast<std::uint16_t>(chance() % 4), {}, chance);
  }
  if (kind == "hello-verify-request") return make_hello_verify_request(chance);
  if (kind == "server-hello") return make_server_hello(chance);
  if (kind == "client-hello") return make_client_hello(noise(random_bytes, chance), {});
  if (kind == "garbage") return noise(between(1, 1200, chance), chance);
  if (kind == "forged") return make_forged(1, between(24, 1200, chance), chance);
  if (kind == "forged-38") return make_forged(38, 25, chance);
  std::string fault = "'" + kind + "' is not a kind of datagram; the kinds are";
  for (const auto& known : attack_kinds) fault.append(" ").append(known);
  throw UsageError(fault);
}

// With what OpenSSL requires of an initiator: suites, groups, signature algorithms, extended master
// secret.
Datagram make_client_hello(ConstBytes random, ConstBytes cookie) {
  Datagram body = {0xfe, 0xfd};
  append(body, random);
  body.push_back(0);  // no session
  body.push_back(static_cast<std::uint8_t>(cookie.size()));
  append(body, cookie);
  constexpr std::array<std::uint8_t, 8> suites = {0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0};
  append(body, suites);
  constexpr std::array<std::uint8_t, 35> extensions = {
      0,    33,                            // bytes that follow
      0,    10, 0, 6, 0, 4, 0, 29, 0, 23,  // groups: X25519, P-256
      0,    11, 0, 2, 1, 0,                // point formats: uncompressed
      0,    13, 0, 4, 0, 2, 4, 3,          // signatures: ECDSA with SHA-256
      0,    23, 0, 0,                      // extended master secret
      0xff, 1,  0, 1, 0};                  // secure renegotiation
  append(body, extensions);
  return make_record(ContentType::handshake, 0, cookie.empty() ? 0 : 1,
                     make_message(client_hello, cookie.empty() ? 0 : 1, body));
}

ConstBytes cookie_in(ConstBytes datagram) {
  constexpr std::size_t size_at = record::header_bytes + message_header_bytes + 2;
  if (datagram.size() <= size_at || datagram[record::header_bytes] != hello_verify_request)
    return {};
  const std::size_t bytes = std::min<std::size_t>(datagram[size_at], datagram.size() - size_at - 1);
  return datagram.subspan(size_at + 1, bytes);
}

Datagram in_ipv4(const SocketAddress& from, const SocketAddress& to, const Datagram& datagram) {
  constexpr std::uint8_t udp = 17;
  constexpr std::uint8_t time_to_live = 64;
  Datagram packet = {0x45, 0};
  append_be16(packet, 20 + 8 + datagram.size());
  packet.insert(packet.end(),
                {0, 0, 0, 0, time_to_live, udp, 0, 0});  // the kernel writes the checksum
  for (const auto& end : {from, to}) append(packet, ConstBytes(end.address.bytes()).first(4));
  append_be16(packet, from.port);
  append_be16(packet, to.port);
  append_be16(packet, 8 + datagram.size());
  append_be16(packet, 0);
  append(packet, datagram);
  return packet;
}

}  // namespace routevpn::test
