// What OpenSSL used of epoch 1, and what it may send after the take-over.
#include "../../../src/dtls/bio.hpp"

#include "routevpn/record/wire.hpp"

#include "catch.hpp"

using namespace routevpn;
using dtls::DatagramPipe;
using record::ContentType;

namespace {

std::vector<std::uint8_t> sealed(ContentType type, std::uint16_t epoch, std::uint64_t sequence,
                                 std::uint64_t nonce) {
  std::vector<std::uint8_t> bytes(record::header_bytes + 8 + 16);
  record::encode({type, record::dtls_1_2, epoch, sequence, 8 + 16}, bytes.data());
  store_be64(bytes.data() + record::header_bytes, nonce);
  return bytes;
}

}  // namespace

TEST_CASE("the pipe records which sequence numbers and nonces OpenSSL used") {
  DatagramPipe pipe;
  CHECK_FALSE(pipe.used().highest_sequence);
  pipe.write(sealed(ContentType::handshake, 0, 77, 0));
  CHECK_FALSE(pipe.used().highest_sequence);
  pipe.write(sealed(ContentType::handshake, 1, 0, 1000));
  pipe.write(sealed(ContentType::handshake, 1, 1, 1001));
  CHECK(pipe.used().highest_sequence == 1U);
  CHECK(pipe.used().nonce_base == 1000);
  CHECK(pipe.used().same_base);
  pipe.write(sealed(ContentType::handshake, 1, 2, 2000));
  CHECK_FALSE(pipe.used().same_base);
  CHECK(pipe.take_output().size() == 4);
}

TEST_CASE("explicit nonces may wrap around") {
  DatagramPipe pipe;
  pipe.write(sealed(ContentType::handshake, 1, 0, ~std::uint64_t{0}));
  pipe.write(sealed(ContentType::handshake, 1, 1, 0));
  CHECK(pipe.used().same_base);
}

TEST_CASE("the pipe numbers the records of epoch 0, and keeps the numbers of epoch 1") {
  DatagramPipe pipe;
  auto datagram = sealed(ContentType::handshake, 0, 7, 0);
  const auto last = sealed(ContentType::handshake, 1, 3, 0);
  datagram.insert(datagram.end(), last.begin(), last.end());
  const auto numbers = [&] {
    pipe.write(datagram);
    const auto sent = pipe.take_output().at(0);
    return std::pair(record::decode(sent.data()).sequence,
                     record::decode(sent.data() + sent.size() - last.size()).sequence);
  };
  CHECK(numbers() == std::pair<std::uint64_t, std::uint64_t>(7, 3));
  pipe.number_from(0x7fff12345600);
  CHECK(numbers() == std::pair<std::uint64_t, std::uint64_t>(0x7fff12345600, 3));
  CHECK(numbers() == std::pair<std::uint64_t, std::uint64_t>(0x7fff12345601, 3));
}

TEST_CASE("after the take-over only a retransmitted flight below our numbers passes") {
  struct Case {
    ContentType type;
    std::uint16_t epoch;
    std::uint64_t sequence;
    bool passes;
  };
  const auto test = GENERATE(
      Case{ContentType::change_cipher_spec, 0, 9, true}, Case{ContentType::handshake, 1, 1, true},
      Case{ContentType::handshake, 1, 1024, true}, Case{ContentType::handshake, 1, 1025, false},
      Case{ContentType::handshake, 1, 1026, false}, Case{ContentType::handshake, 2, 1, false},
      Case{ContentType::alert, 1, 1, false}, Case{ContentType::application_data, 1, 1, false});
  CAPTURE(static_cast<int>(test.type), test.epoch, test.sequence);
  DatagramPipe pipe;
  pipe.take_over(1025);
  auto datagram = sealed(ContentType::change_cipher_spec, 0, 8, 0);  // every record is checked
  const auto last = sealed(test.type, test.epoch, test.sequence, 0);
  datagram.insert(datagram.end(), last.begin(), last.end());
  pipe.write(datagram);
  CHECK(pipe.take_output().size() == (test.passes ? 1 : 0));
  CHECK(pipe.refused() == (test.passes ? 0 : 1));
}
