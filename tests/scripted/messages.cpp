#include "scripted/messages.hpp"

#include <algorithm>
#include <array>

namespace routevpn::test::scripted {

namespace {

class Reader {
 public:
  explicit Reader(ConstBytes from) : rest_(from) {}
  ConstBytes bytes(std::size_t size) {
    const ConstBytes taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::size_t number(std::size_t size) {
    std::size_t value = 0;
    for (const auto byte : bytes(size)) value = value << 8 | byte;
    return value;
  }
  Octets vector(std::size_t length_size) {
    const auto taken = bytes(number(length_size));
    return {taken.begin(), taken.end()};
  }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  ConstBytes rest_;
};

std::map<std::uint16_t, Octets> decode_extensions(Reader& reader) {
  std::map<std::uint16_t, Octets> extensions;
  const Octets block = reader.vector(2);
  for (Reader rest(block); !rest.empty();) {
    const auto type = static_cast<std::uint16_t>(rest.number(2));
    extensions[type] = rest.vector(2);
  }
  return extensions;
}

void decode_start(Reader& reader, Hello& hello) {
  hello.version = static_cast<std::uint16_t>(reader.number(2));
  const auto random = reader.bytes(random_bytes);
  hello.random.assign(random.begin(), random.end());
  hello.session_id = reader.vector(1);
}

}  // namespace

Writer& Writer::number(std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i > 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
  return *this;
}

Writer& Writer::bytes(ConstBytes value) {
  out.insert(out.end(), value.begin(), value.end());
  return *this;
}

Writer& Writer::vector(std::size_t length_size, ConstBytes value) {
  return number(value.size(), length_size).bytes(value);
}

Writer& Writer::numbers16(std::size_t length_size, const std::vector<std::uint16_t>& values) {
  number(2 * values.size(), length_size);
  for (const auto value : values) number(value, 2);
  return *this;
}

void Hello::offer_groups(const std::vector<std::uint16_t>& groups) {
  extensions[supported_groups] = Writer().numbers16(2, groups).out;
}

void Hello::offer_schemes(const std::vector<std::uint16_t>& schemes) {
  extensions[signature_algorithms] = Writer().numbers16(2, schemes).out;
}

void Hello::offer_alpn(const std::string& name) {
  const Octets bytes(name.begin(), name.end());
  extensions[alpn_extension] = Writer().vector(2, Writer().vector(1, bytes).out).out;
}

Hello Hello::of_client(const std::string& alpn) {
  Hello hello;
  hello.suites = {ecdhe_ecdsa_aes128_gcm_sha256, ecdhe_rsa_aes128_gcm_sha256};
  hello.offer_groups({x25519, secp256r1});
  hello.offer_schemes({ecdsa_sha256, ed25519_scheme, rsa_pkcs1_sha256});
  hello.offer_alpn(alpn);
  hello.extensions[point_formats] = {1, 0};
  hello.extensions[extended_master_secret] = {};
  hello.extensions[renegotiation_info] = {0};
  return hello;
}

Hello Hello::of_server(std::uint16_t suite, const std::string& alpn) {
  Hello hello;
  hello.suites = {suite};
  hello.offer_alpn(alpn);
  hello.extensions[point_formats] = {1, 0};
  hello.extensions[extended_master_secret] = {};
  hello.extensions[renegotiation_info] = {0};
  return hello;
}

Octets Hello::encoded_extensions() const {
  Writer block;
  for (const auto& [type, value] : extensions) block.number(type, 2).vector(2, value);
  return Writer().vector(2, block.out).out;
}

Octets Hello::encode_client() const {
  return Writer()
      .number(version, 2)
      .bytes(random)
      .vector(1, session_id)
      .vector(1, cookie)
      .numbers16(2, suites)
      .vector(1, compressions)
      .bytes(encoded_extensions())
      .out;
}

Octets Hello::encode_server() const {
  return Writer()
      .number(version, 2)
      .bytes(random)
      .vector(1, session_id)
      .number(suites.at(0), 2)
      .number(compressions.at(0), 1)
      .bytes(encoded_extensions())
      .out;
}

Hello Hello::decode_client(ConstBytes body) {
  Hello hello;
  Reader reader(body);
  decode_start(reader, hello);
  hello.cookie = reader.vector(1);
  const Octets suites = reader.vector(2);
  for (Reader rest(suites); !rest.empty();) {
    hello.suites.push_back(static_cast<std::uint16_t>(rest.number(2)));
  }
  hello.compressions = reader.vector(1);
  hello.extensions = decode_extensions(reader);
  return hello;
}

Hello Hello::decode_server(ConstBytes body) {
  Hello hello;
  Reader reader(body);
  decode_start(reader, hello);
  hello.suites = {static_cast<std::uint16_t>(reader.number(2))};
  hello.compressions = {static_cast<std::uint8_t>(reader.number(1))};
  hello.extensions = decode_extensions(reader);
  return hello;
}

Octets encode_chain(const std::vector<Octets>& certificates) {
  Writer list;
  for (const auto& certificate : certificates) list.vector(3, certificate);
  return Writer().vector(3, list.out).out;
}

Octets encode_verify_request(ConstBytes cookie) {
  return Writer().number(record::dtls_1_0, 2).vector(1, cookie).out;
}

Octets decode_cookie(ConstBytes hello_verify_request) {
  Reader reader(hello_verify_request);
  reader.number(2);
  return reader.vector(1);
}

Octets encode_parameters(std::uint16_t group, ConstBytes share) {
  constexpr std::uint8_t named_curve = 3;
  return Writer().number(named_curve, 1).number(group, 2).vector(1, share).out;
}

std::uint16_t decode_group(ConstBytes server_key_exchange) {
  Reader reader(server_key_exchange);
  reader.number(1);
  return static_cast<std::uint16_t>(reader.number(2));
}

Octets decode_share(ConstBytes server_key_exchange) {
  Reader reader(server_key_exchange);
  reader.number(3);
  return reader.vector(1);
}

Octets encode_signature(std::uint16_t scheme, ConstBytes signature) {
  return Writer().number(scheme, 2).vector(2, signature).out;
}

Octets encode_certificate_request() {
  constexpr std::array<std::uint8_t, 2> types = {64, 1};  // ecdsa_sign, rsa_sign
  return Writer()
      .vector(1, types)
      .numbers16(2, {ecdsa_sha256, ed25519_scheme, rsa_pkcs1_sha256})
      .vector(2, {})
      .out;
}

}  // namespace routevpn::test::scripted
