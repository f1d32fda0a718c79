// How the scripted peer answers: one flight for each flight that arrives.
#include <algorithm>

#include "../../src/dtls/records.hpp"
#include "scripted/peer.hpp"

namespace routevpn::test::scripted {

namespace {

using record::ContentType;

constexpr std::size_t alert_bytes = 2;

}  // namespace

void Peer::receive(ConstBytes datagram) {
  while (const auto record = dtls::take_record(datagram)) {
    const record::Header& header = record->header;
    if (header.type == ContentType::alert && header.epoch == 0 && header.length == alert_bytes) {
      alert_ = record->fragment[1];
    }
    if (header.type != ContentType::handshake) continue;
    if (header.epoch == 0) {
      reassembly_.add(record->fragment);
    } else {
      reassembly_.add(open(record->whole));
    }
    while (const auto message = reassembly_.take()) handle(*message, header.sequence);
  }
}

void Peer::handle(const Message& message, std::uint64_t record_number) {
  if (message.is(Step::finished)) {
    const Octets expected = verify_data(!is_initiator());
    if (message.body != expected) return;
    append(transcript_, message.whole());
    if (!is_initiator()) {
      send_flight(Flight::server_finish, {Step::change_cipher_spec, Step::finished});
    }
    completed_ = true;
    return;
  }
  if (is_initiator()) {
    handle_as_initiator(message);
  } else {
    handle_as_acceptor(message, record_number);
  }
}

void Peer::handle_as_initiator(const Message& message) {
  if (message.is(Step::hello_verify_request)) {
    if (cookie_) return;
    cookie_ = decode_cookie(message.body);
    send_flight(Flight::second_hello, {Step::client_hello});
    return;
  }
  append(transcript_, message.whole());
  if (message.is(Step::server_hello)) others_ = Hello::decode_server(message.body);
  if (message.is(Step::server_key_exchange)) {
    others_share_ = decode_share(message.body);
    exchange_ = Exchange(decode_group(message.body));
  }
  if (!message.is(Step::server_hello_done)) return;
  send_flight(Flight::client_finish,
              {Step::certificate, Step::client_key_exchange, Step::certificate_verify,
               Step::change_cipher_spec, Step::finished});
}

// The acceptor answers a ClientHello with the number of its record and counts up from there
// (RFC 6347 section 4.2.1).
void Peer::handle_as_acceptor(const Message& message, std::uint64_t record_number) {
  if (message.is(Step::client_hello)) {
    others_ = Hello::decode_client(message.body);
    next_number_[0] = record_number;
    if (others_.cookie.empty() && deviation_.verifies_hello) {
      return send_flight(Flight::hello_verify, {Step::hello_verify_request});
    }
    append(transcript_, message.whole());
    return send_flight(Flight::server_hello,
                       {Step::server_hello, Step::certificate, Step::server_key_exchange,
                        Step::certificate_request, Step::server_hello_done});
  }
  append(transcript_, message.whole());
  if (message.is(Step::client_key_exchange)) {
    const std::size_t length = message.body.empty() ? 0 : message.body[0];
    if (length + 1 == message.body.size()) {
      others_share_.assign(message.body.begin() + 1, message.body.end());
    }
    derive_keys();
  }
}

}  // namespace routevpn::test::scripted
