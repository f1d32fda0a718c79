#include "scripted/peer.hpp"

#include <algorithm>

#include <openssl/rand.h>

namespace routevpn::test::scripted {

namespace {

using record::ContentType;

constexpr std::size_t master_bytes = 48;
constexpr std::size_t verify_data_bytes = 12;
constexpr std::size_t key_bytes = 16;
constexpr std::size_t iv_bytes = 4;

Octets joined(ConstBytes first, ConstBytes second) {
  Octets both(first.begin(), first.end());
  append(both, second);
  return both;
}

// Neither HelloVerifyRequest and the ClientHello before it nor HelloRequest (RFC 6347 section
// 4.2.1, RFC 5246 section 7.4.1.1).
bool in_transcript(Flight flight, Step step) {
  return flight != Flight::first_hello && flight != Flight::hello_verify &&
         step != Step::hello_request;
}

}  // namespace

Peer::Peer(dtls::Role role, std::shared_ptr<const Credentials> credentials, Deviation deviation)
    : role_(role),
      credentials_(std::move(credentials)),
      deviation_(std::move(deviation)),
      exchange_(deviation_.group) {
  own_ = is_initiator() ? Hello::of_client(deviation_.alpn)
                        : Hello::of_server(credentials_->is_rsa() ? ecdhe_rsa_aes128_gcm_sha256
                                                                  : ecdhe_ecdsa_aes128_gcm_sha256,
                                           deviation_.alpn);
  RAND_bytes(own_.random.data(), static_cast<int>(own_.random.size()));
}

void Peer::start() {
  send_flight(Flight::first_hello, {Step::client_hello});
}

dtls::Datagrams Peer::take_output() {
  return std::exchange(output_, {});
}

void Peer::send_flight(Flight flight, std::vector<Step> steps) {
  if (deviation_.steps) deviation_.steps(flight, steps);
  std::vector<Record> records;
  bool ccs_sent = false;
  for (const Step step : steps) add(flight, step, records, ccs_sent);
  last_flight_ = records;
  if (deviation_.records) deviation_.records(flight, records);
  send(std::move(records));
}

// Only a Finished that follows a ChangeCipherSpec is sealed.
void Peer::add(Flight flight, Step step, std::vector<Record>& records, bool& ccs_sent) {
  if (step == Step::change_cipher_spec) {
    ccs_sent = true;
    records.push_back({ContentType::change_cipher_spec, 0, {1}});
    return;
  }
  if (step == Step::application_data) {
    const std::uint16_t epoch = has_keys() ? 1 : 0;
    records.push_back({ContentType::application_data, epoch, {'d', 'a', 't', 'a'}});
    return;
  }
  const Message message = build(flight, step);
  if (in_transcript(flight, step)) append(transcript_, message.whole());
  if (step == Step::client_key_exchange) derive_keys();
  const std::uint16_t epoch = step == Step::finished && ccs_sent && has_keys() ? 1 : 0;
  const bool whole =
      step == Step::client_hello || step == Step::hello_verify_request || step == Step::finished;
  const std::size_t most = whole ? message.body.size() : deviation_.fragment_bytes;
  for (auto& record : to_records(message, epoch, most)) {
    records.push_back(std::move(record));
  }
}

Message Peer::build(Flight flight, Step step) {
  const Step type = step == Step::empty_certificate ? Step::certificate : step;
  Message message{static_cast<std::uint8_t>(type), next_message_++, body_of(flight, step)};
  if (deviation_.message) deviation_.message(message);
  return message;
}

Octets Peer::body_of(Flight flight, Step step) {
  switch (step) {
    case Step::client_hello:
    case Step::server_hello:
      return hello_body(flight, step);
    case Step::hello_verify_request:
      return encode_verify_request(Octets(20, 0xc0));
    case Step::certificate:
      return encode_chain(credentials_->chain);
    case Step::empty_certificate:
      return encode_chain({});
    case Step::server_key_exchange:
      return server_key_exchange();
    case Step::certificate_request:
      return encode_certificate_request();
    case Step::client_key_exchange:
      return Writer().vector(1, own_share()).out;
    case Step::certificate_verify:
      return signature_of(transcript_);
    case Step::finished:
      derive_keys();
      return verify_data(is_initiator());
    default:
      return {};
  }
}

Octets Peer::hello_body(Flight flight, Step step) {
  Hello hello = own_;
  hello.cookie = cookie_.value_or(Octets());
  if (deviation_.hello) deviation_.hello(flight, hello);
  sent_ = hello;
  return step == Step::client_hello ? hello.encode_client() : hello.encode_server();
}

Octets Peer::own_share() {
  Octets share = exchange_.share();
  if (deviation_.share) deviation_.share(share);
  return share;
}

Octets Peer::server_key_exchange() {
  const Octets parameters = encode_parameters(deviation_.group, own_share());
  const Octets randoms = joined(others_.random, sent_.random);
  return joined(parameters, signature_of(joined(randoms, parameters)));
}

Octets Peer::signature_of(ConstBytes data) {
  const std::uint16_t scheme = deviation_.scheme.value_or(credentials_->scheme());
  return encode_signature(scheme, credentials_->sign(scheme, data));
}

Octets Peer::verify_data(bool of_initiator) {
  const Octets secret = has_keys() ? master_ : Octets(master_bytes);
  return prf(secret, of_initiator ? "client finished" : "server finished", sha256(transcript_),
             verify_data_bytes);
}

// The transcript ends with ClientKeyExchange, as RFC 7627 section 3 requires.
void Peer::derive_keys() {
  if (has_keys() || others_share_.empty()) return;
  const Octets secret = exchange_.agree(others_share_);
  if (secret.empty()) return;
  const Hello& client = is_initiator() ? sent_ : others_;
  const Hello& server = is_initiator() ? others_ : sent_;
  const bool extended = client.extensions.contains(extended_master_secret) &&
                        server.extensions.contains(extended_master_secret);
  master_ = extended
                ? prf(secret, "extended master secret", sha256(transcript_), master_bytes)
                : prf(secret, "master secret", joined(client.random, server.random), master_bytes);
  const Octets block = prf(master_, "key expansion", joined(server.random, client.random),
                           2 * (key_bytes + iv_bytes));
  const auto part = [&](std::size_t at, std::size_t size) {
    const ConstBytes taken = ConstBytes(block).subspan(at, size);
    return Octets(taken.begin(), taken.end());
  };
  initiator_keys_ = {part(0, key_bytes), part(2 * key_bytes, iv_bytes)};
  acceptor_keys_ = {part(key_bytes, key_bytes), part(2 * key_bytes + iv_bytes, iv_bytes)};
}

void Peer::send(std::vector<Record> records) {
  for (const auto& record : records) output_.push_back(encode(record));
}

void Peer::resend() {
  send(last_flight_);
}

Octets Peer::encode(const Record& record) {
  record::Header header{record.type, record.version, record.epoch,
                        next_number_[record.epoch == 0 ? 0 : 1]++,
                        static_cast<std::uint16_t>(record.payload.size())};
  if (record.epoch != 0 && has_keys()) return own_keys().seal(header, record.payload);
  Octets datagram(record::header_bytes);
  record::encode(header, datagram.data());
  append(datagram, record.payload);
  return datagram;
}

Octets Peer::seal(ContentType type, ConstBytes payload) {
  return encode({type, 1, {payload.begin(), payload.end()}});
}

Octets Peer::datagram_of(Step step, std::uint16_t epoch, std::uint16_t sequence) {
  Message message = build(Flight::second_hello, step);
  message.sequence = sequence;
  return encode({ContentType::handshake, epoch, message.whole()});
}

Octets Peer::open(ConstBytes record) const {
  const RecordKeys& keys = is_initiator() ? acceptor_keys_ : initiator_keys_;
  if (record.size() < record::header_bytes || !has_keys()) return {};
  return keys.open(record::decode(record.data()), record.subspan(record::header_bytes));
}

}  // namespace routevpn::test::scripted
