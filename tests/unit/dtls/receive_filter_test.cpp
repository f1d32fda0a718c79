// Which records reach OpenSSL during a handshake.
#include "../../../src/dtls/receive_filter.hpp"

#include "catch.hpp"
#include "forged.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Awaited;
using dtls::ReceiveFilter;
using dtls::Role;
using record::ContentType;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t base = std::uint64_t{1} << 42;
constexpr Time filter_start(1h);

Datagram certificate(std::uint64_t number, std::uint8_t sequence = 2) {
  return forged_message(11, sequence, number, Fragment(9, 7));
}

Datagram finished(std::uint64_t number, std::size_t bytes = 48) {
  return forged_record(ContentType::handshake, number, Fragment(bytes), 1);
}

struct Filtered {
  std::vector<record::Header> records;
  std::vector<Drop> drops;
};

Filtered result(ReceiveFilter& filter, Awaited awaited = Awaited::message) {
  Filtered result;
  const auto taken = filter.take(awaited);
  ConstBytes rest = taken;
  while (const auto record = dtls::take_record(rest)) result.records.push_back(record->header);
  CHECK(rest.empty());
  result.drops = filter.take_drops();
  return result;
}

}  // namespace

TEST_CASE("an end accepts the numbers that the peer may use, and OpenSSL gets others") {
  const auto role = GENERATE(Role::initiator, Role::acceptor);
  ReceiveFilter filter(role, base);
  for (const auto number : {base, base + 1023, base}) filter.receive(certificate(number), {});
  const auto taken = result(filter);
  REQUIRE(taken.records.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(taken.records[i].sequence == i + 1);
    CHECK(taken.records[i].epoch == 0);
    CHECK(taken.records[i].type == ContentType::handshake);
  }
  CHECK(taken.drops.empty());
  for (const auto number : {base - 1, base + 1024, std::uint64_t{0}, record::max_sequence}) {
    filter.receive(certificate(number), {});
  }
  CHECK(result(filter).records.empty());
}

TEST_CASE("an acceptor drops wrong numbers, and never accepts them") {
  ReceiveFilter filter(Role::acceptor, base);
  filter.receive(certificate(base - 1), filter_start);
  CHECK_FALSE(filter.deadline());
  filter.on_timer(filter_start + 10s);
  const auto taken = result(filter);
  CHECK(taken.records.empty());
  CHECK(taken.drops == std::vector{Drop::handshake_number});
}

TEST_CASE("an initiator accepts every number after a second without a right one") {
  ReceiveFilter filter(Role::initiator, base);
  for (unsigned number = 0; number < 6; ++number) {
    filter.receive(certificate(number), filter_start + number * 1ms);
  }
  REQUIRE(filter.deadline() == filter_start + 1s);
  filter.on_timer(filter_start + 1s - 1ns);
  auto taken = result(filter);
  CHECK(taken.records.empty());
  CHECK(taken.drops == std::vector(2, Drop::handshake_number));
  filter.on_timer(filter_start + 1s);
  CHECK(result(filter).records.size() == ReceiveFilter::max_held_datagrams);
  CHECK_FALSE(filter.deadline());
  filter.receive(certificate(77), filter_start + 2s);
  CHECK(result(filter).records.size() == 1);
  CHECK_FALSE(filter.misled());

  SECTION("a right number shows that the accepted ones were forged") {
    filter.receive(certificate(base + 3), filter_start + 2s);
    CHECK(filter.misled());
  }
}

TEST_CASE("after a right number the fallback waits for another second") {
  ReceiveFilter filter(Role::initiator, base);
  filter.receive(certificate(1), filter_start);
  filter.receive(forged_alert(1), filter_start);
  filter.receive(certificate(base), filter_start + 900ms);
  CHECK_FALSE(filter.deadline());
  CHECK_FALSE(filter.misled());
  const auto taken = result(filter);
  CHECK(taken.records.size() == 1);
  CHECK(taken.drops == std::vector{Drop::plaintext_alert, Drop::handshake_number});
  filter.receive(certificate(1), filter_start + 950ms);
  CHECK(filter.deadline() == filter_start + 1950ms);
}

TEST_CASE("a long datagram is not held") {
  ReceiveFilter filter(Role::initiator, base);
  filter.receive(forged_message(11, 2, 0, Fragment(2000)), filter_start);
  CHECK(result(filter).drops == std::vector{Drop::handshake_number});
}

TEST_CASE("messages that the role cannot receive are dropped") {
  struct Case {
    Fragment message;
    Drop of_initiator;
    Drop of_acceptor;
  };
  constexpr Drop passes = Drop::count_;
  constexpr Drop unexpected = Drop::handshake_unexpected;
  constexpr Drop malformed = Drop::handshake_malformed;
  const Fragment some(20);
  const auto test = GENERATE_COPY(values<Case>({
      {message_bytes(0, 0, {}), unexpected, unexpected},         // HelloRequest
      {message_bytes(1, 0, some), unexpected, unexpected},       // ClientHello without a cookie
      {message_bytes(1, 1, some), unexpected, passes},           // and with
      {message_bytes(2, 0, some), passes, unexpected},           // ServerHello
      {message_bytes(2, 1, some), passes, unexpected},           // after a HelloVerifyRequest
      {message_bytes(2, 2, some), unexpected, unexpected},       //
      {message_bytes(3, 0, some), passes, unexpected},           // HelloVerifyRequest
      {message_bytes(3, 1, some), unexpected, unexpected},       //
      {message_bytes(4, 5, some), unexpected, unexpected},       // NewSessionTicket
      {message_bytes(11, 2, some), passes, passes},              // Certificate
      {message_bytes(11, 1, some), passes, unexpected},          //
      {message_bytes(11, 3, some), unexpected, unexpected},      //
      {message_bytes(12, 3, some), passes, unexpected},          // ServerKeyExchange
      {message_bytes(13, 4, some), passes, unexpected},          // CertificateRequest
      {message_bytes(14, 5, {}), passes, unexpected},            // ServerHelloDone
      {message_bytes(14, 5, {1}), malformed, unexpected},        //
      {message_bytes(15, 4, some), unexpected, passes},          // CertificateVerify
      {message_bytes(16, 3, some), unexpected, passes},          // ClientKeyExchange
      {message_bytes(16, 3, some, 257), unexpected, malformed},  //
      {message_bytes(20, 5, some), unexpected, unexpected},      // Finished in plaintext
      {message_bytes(22, 3, some), unexpected, unexpected},      // CertificateStatus
      {message_bytes(11, 2, some, 16384), passes, passes},       // a fragment
      {message_bytes(11, 2, some, 16385), malformed, malformed},
      {message_bytes(11, 2, some, 21, 1), passes, passes},
      {message_bytes(11, 2, some, 20, 1), malformed, malformed},  // ends behind the message
      {message_bytes(11, 2, {}, 20), malformed, malformed},       // empty fragment
      {Fragment(11), malformed, malformed},                       // less than a header
  }));
  const auto role = GENERATE(Role::initiator, Role::acceptor);
  CAPTURE(static_cast<int>(role), test.message);
  ReceiveFilter filter(role, base);
  // Others in the same record pass.
  auto bytes = message_bytes(11, 2, {1});
  bytes.insert(bytes.end(), test.message.begin(), test.message.end());
  filter.receive(forged_record(ContentType::handshake, base, bytes), {});
  const Drop expected = role == Role::initiator ? test.of_initiator : test.of_acceptor;
  const auto taken = result(filter);
  CHECK(taken.records.size() == (expected == passes ? 2 : 1));
  CHECK(taken.drops == (expected == passes ? std::vector<Drop>() : std::vector{expected}));
}

TEST_CASE("records that belong to no handshake are dropped") {
  struct Case {
    Datagram datagram;
    Drop reason;
  };
  const auto test = GENERATE(values<Case>({
      {forged_record(ContentType::application_data, base, {1}), Drop::handshake_unexpected},
      {forged_record(ContentType::handshake, base, Fragment(48), 2), Drop::handshake_unexpected},
      {forged_record(static_cast<ContentType>(77), base, {1}), Drop::handshake_unexpected},
      {forged_record(ContentType::change_cipher_spec, base, {2}), Drop::handshake_malformed},
      {forged_record(ContentType::change_cipher_spec, base, {1, 1}), Drop::handshake_malformed},
      {forged_record(ContentType::alert, base, {2}), Drop::handshake_malformed},
      {forged_record(ContentType::alert, base, {1, 100}), Drop::plaintext_alert},
      {forged_record(ContentType::alert, 1, Fragment(26), 1), Drop::record_no_keys},
      {finished(0, 39), Drop::handshake_malformed},
      {finished(0, 100), Drop::handshake_malformed},
      {Datagram(12), Drop::handshake_malformed},
  }));
  CAPTURE(test.datagram);
  ReceiveFilter filter(Role::acceptor, base);
  filter.receive(test.datagram, {});
  const auto taken = result(filter);
  CHECK(taken.records.empty());
  CHECK(taken.drops == std::vector{test.reason});
  CHECK_FALSE(filter.alert());
  CHECK(result(filter, Awaited::finished).records.empty());
}

TEST_CASE("OpenSSL gets ChangeCipherSpec and Finished when it waits for them, in any order") {
  ReceiveFilter filter(Role::acceptor, base);
  for (unsigned i = 0; i < 6; ++i) filter.receive(finished(i), {});
  filter.receive(forged_record(ContentType::change_cipher_spec, base + 2, {1}), {});
  filter.receive(certificate(base), {});
  auto taken = result(filter, Awaited::change_cipher_spec);
  REQUIRE(taken.records.size() == 1);
  CHECK(taken.records[0].type == ContentType::handshake);
  CHECK(taken.drops == std::vector(2, Drop::handshake_unexpected));  // the first and the second

  CHECK(result(filter).records.empty());
  taken = result(filter, Awaited::change_cipher_spec);
  REQUIRE(taken.records.size() == 1);
  CHECK(taken.records[0].type == ContentType::change_cipher_spec);
  CHECK(result(filter, Awaited::change_cipher_spec).records.empty());

  taken = result(filter, Awaited::finished);
  REQUIRE(taken.records.size() == ReceiveFilter::max_early_records);
  CHECK(taken.records[0].sequence == 2);
  CHECK(taken.records[3].sequence == 5);
  filter.receive(finished(9), {});
  CHECK(result(filter, Awaited::finished).records.size() == 1);
}

// A hostile peer could otherwise fill the memory for as long as its Finished is due.
TEST_CASE("messages behind ChangeCipherSpec are dropped") {
  ReceiveFilter filter(Role::acceptor, base);
  filter.receive(forged_record(ContentType::change_cipher_spec, base, {1}), {});
  REQUIRE(result(filter, Awaited::change_cipher_spec).records.size() == 1);
  filter.receive(certificate(base + 1), {});
  filter.receive(finished(0), {});
  const auto taken = result(filter, Awaited::finished);
  CHECK(taken.records.size() == 1);
  CHECK(taken.drops == std::vector{Drop::handshake_unexpected});
  CHECK(result(filter).records.empty());
}

TEST_CASE("an alert is the peer's if its number cannot be guessed") {
  struct Case {
    std::uint64_t first;
    std::uint64_t number;
    bool proven;
  };
  const auto test = GENERATE(values<Case>({
      {base, base, true},
      {base, base + 1023, true},
      {base, base - 1, false},
      {base, base + 1024, false},
      {ReceiveFilter::least_random_base, ReceiveFilter::least_random_base, true},
      {ReceiveFilter::least_random_base - 1, ReceiveFilter::least_random_base, false},
      {1, 1, false},
  }));
  const auto role = GENERATE(Role::initiator, Role::acceptor);
  ReceiveFilter filter(role, test.first);
  filter.receive(forged_alert(test.number, 40), filter_start);
  filter.receive(forged_alert(test.number, 0, 1), filter_start);
  CHECK(filter.alert() == (test.proven ? std::optional<std::uint8_t>(0) : std::nullopt));
  CHECK(filter.unproven_alert() == (test.proven ? std::nullopt : std::optional<std::uint8_t>(40)));
  CHECK_FALSE(filter.deadline());
}
