// A DTLS 1.2 peer of our own, for both roles. It sends each flight as a script of steps, and a
// deviation may change the steps, the messages or the records of a flight. It checks the other
// end's Finished and nothing else.
//
//     initiator                             acceptor
//     first_hello    ClientHello   ------>
//                                  <------  hello_verify   HelloVerifyRequest
//     second_hello   ClientHello   ------>
//                                  <------  server_hello   ServerHello to ServerHelloDone
//     client_finish  to Finished   ------>
//                                  <------  server_finish  ChangeCipherSpec, Finished
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "routevpn/dtls/handshake.hpp"

#include "scripted/framing.hpp"

namespace routevpn::test::scripted {

enum class Flight : std::uint8_t {
  first_hello,
  hello_verify,
  second_hello,
  server_hello,
  client_finish,
  server_finish,
};

// What a script changes. An empty function changes nothing.
struct Deviation {
  std::function<void(Flight, std::vector<Step>&)> steps = {};
  std::function<void(Flight, Hello&)> hello = {};
  std::function<void(Message&)> message = {};  // the transcript has the changed message
  std::function<void(Flight, std::vector<Record>&)> records = {};
  std::string alpn = "routevpn/1";
  std::uint16_t group = x25519;              // that ServerKeyExchange names
  std::optional<std::uint16_t> scheme = {};  // of our signatures; none: that of the key
  std::function<void(Octets&)> share = {};   // our public key; the signature covers the change
  std::size_t fragment_bytes = 1100;         // not of ClientHello, HelloVerifyRequest, Finished
  bool verifies_hello = true;  // the acceptor answers the first ClientHello with a cookie
};

class Peer {
 public:
  Peer(dtls::Role role, std::shared_ptr<const Credentials> credentials, Deviation deviation = {});

  void start();  // the initiator's first flight
  void receive(ConstBytes datagram);
  dtls::Datagrams take_output();
  void resend();  // the messages of the last flight, in undisturbed records with new numbers

  [[nodiscard]] bool completed() const { return completed_; }
  [[nodiscard]] std::optional<std::uint8_t> alert() const { return alert_; }  // that arrived
  [[nodiscard]] bool has_keys() const { return !master_.empty(); }
  [[nodiscard]] const RecordKeys& initiator_keys() const { return initiator_keys_; }
  [[nodiscard]] const RecordKeys& acceptor_keys() const { return acceptor_keys_; }
  [[nodiscard]] const Hello& others_hello() const { return others_; }

  // One record of epoch 1.
  Octets seal(record::ContentType type, ConstBytes payload);
  // One message with this message number, in one record of epoch 0 or 1.
  Octets datagram_of(Step step, std::uint16_t epoch, std::uint16_t sequence);
  [[nodiscard]] Octets open(ConstBytes record) const;  // empty: it does not authenticate

 private:
  void send_flight(Flight flight, std::vector<Step> steps);
  void add(Flight flight, Step step, std::vector<Record>& records, bool& ccs_sent);
  Message build(Flight flight, Step step);
  Octets body_of(Flight flight, Step step);
  Octets hello_body(Flight flight, Step step);
  Octets server_key_exchange();
  Octets own_share();
  Octets signature_of(ConstBytes data);
  Octets verify_data(bool of_initiator);
  void send(std::vector<Record> records);
  Octets encode(const Record& record);
  void handle(const Message& message, std::uint64_t record_number);
  void handle_as_initiator(const Message& message);
  void handle_as_acceptor(const Message& message, std::uint64_t record_number);
  void derive_keys();
  [[nodiscard]] bool is_initiator() const { return role_ == dtls::Role::initiator; }
  RecordKeys& own_keys() { return is_initiator() ? initiator_keys_ : acceptor_keys_; }

  dtls::Role role_;
  std::shared_ptr<const Credentials> credentials_;
  Deviation deviation_;
  Exchange exchange_;
  Hello own_;   // undisturbed
  Hello sent_;  // last
  Hello others_;
  std::optional<Octets> cookie_;  // after the first HelloVerifyRequest; further ones are ignored
  Octets others_share_;
  Octets transcript_;
  Octets master_;
  RecordKeys initiator_keys_;
  RecordKeys acceptor_keys_;
  Reassembly reassembly_;
  std::uint16_t next_message_ = 0;
  std::uint64_t next_number_[2] = {1000, 0};  // of records, by epoch
  std::vector<Record> last_flight_;
  dtls::Datagrams output_;
  bool completed_ = false;
  std::optional<std::uint8_t> alert_;
};

}  // namespace routevpn::test::scripted
