#include "routevpn/record/seal.hpp"

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

const EVP_CIPHER* evp_of(CipherSuite suite) {
  if (suite == CipherSuite::aes_128_gcm) return EVP_aes_128_gcm();
  return suite == CipherSuite::aes_256_gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
}

// The record as the RFCs describe it, built without the code under test.
ByteVector record_by_hand(CipherSuite suite, const DirectionKeys& keys, std::uint64_t sequence,
                          std::uint64_t explicit_nonce, ContentType type, ConstBytes payload) {
  const bool gcm = suite != CipherSuite::chacha20_poly1305;
  const auto append = [](ByteVector& to, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  };
  const std::uint64_t epoch_and_sequence = std::uint64_t{1} << 48 | sequence;

  ByteVector record{static_cast<std::uint8_t>(type), 254, 253};
  append(record, epoch_and_sequence, 8);
  append(record, payload.size() + 16 + (gcm ? 8 : 0), 2);
  if (gcm) append(record, explicit_nonce, 8);

  ByteVector additional;
  append(additional, epoch_and_sequence, 8);
  additional.insert(additional.end(), {static_cast<std::uint8_t>(type), 254, 253});
  append(additional, payload.size(), 2);

  ByteVector nonce(keys.iv.begin(), keys.iv.begin() + (gcm ? 4 : 12));
  if (gcm) {
    append(nonce, explicit_nonce, 8);
  } else {
    ByteVector padded(4);
    append(padded, epoch_and_sequence, 8);
    for (std::size_t i = 0; i < 12; ++i) nonce[i] ^= padded[i];
  }

  const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  ByteVector ciphertext(payload.size() + 1);
  ByteVector tag(16);
  int n = 0;
  REQUIRE(EVP_EncryptInit_ex(context.get(), evp_of(suite), nullptr, keys.key.data(),
                             nonce.data()) == 1);
  REQUIRE(EVP_EncryptUpdate(context.get(), nullptr, &n, additional.data(), 13) == 1);
  REQUIRE(EVP_EncryptUpdate(context.get(), ciphertext.data(), &n, payload.data(),
                            static_cast<int>(payload.size())) == 1);
  REQUIRE(EVP_EncryptFinal_ex(context.get(), tag.data(), &n) == 1);
  REQUIRE(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1);
  record.insert(record.end(), ciphertext.begin(), ciphertext.end() - 1);
  record.insert(record.end(), tag.begin(), tag.end());
  return record;
}

std::uint64_t sequence_of(const ByteVector& record) {
  return load_be48(record.data() + 5);
}
std::uint64_t explicit_nonce_of(const ByteVector& record) {
  return load_be64(record.data() + 13);
}

}  // namespace

TEST_CASE("a sealed record has exactly the bytes that the RFCs define") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Random random(11);
    const auto keys = random.keys();
    std::uint64_t sequence = 0x0102030405fe;
    Sealer sealer(choice.backend, choice.suite, keys, sequence, 0xfffffefdfcfbfafb, 1000);
    for (const std::size_t length : {0U, 1U, 20U, 64U, 1400U, 9000U, 16384U}) {
      const auto type = length == 20 ? ContentType::alert : ContentType::application_data;
      const auto payload = random.bytes(length);
      CHECK(sealed_record(sealer, payload, type) == record_by_hand(choice.suite, keys, sequence,
                                                                   0xfffffefdfcfbfafb + sequence,
                                                                   type, payload));
      ++sequence;
    }
    CHECK(sealer.sealed() == 7);
  }
}

TEST_CASE("a record on the wire, AES-128-GCM, has known bytes") {
  DirectionKeys keys;
  for (std::size_t i = 0; i < keys.key.size(); ++i) keys.key[i] = static_cast<std::uint8_t>(i);
  keys.iv = {0xa0, 0xa1, 0xa2, 0xa3};
  Sealer sealer(CryptoBackend::openssl, CipherSuite::aes_128_gcm, keys, 1025, 0x1122334455660000,
                10);
  const auto record = sealed_record(sealer, from_hex("45000014"));
  CHECK(ByteVector(record.begin(), record.begin() + 21) ==
        from_hex("17fefd0001000000000401001c1122334455660401"));
  CHECK(record.size() == 21 + 4 + 16);
}

TEST_CASE("the packets of a batch are sealed in place, one behind the other") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Random random(13);
    const auto keys = random.keys();
    constexpr std::size_t count = 40;
    constexpr std::size_t length = 333;
    const std::size_t room = headroom(choice.suite);
    const std::size_t stride = room + length + tailroom;
    ByteVector arena = random.bytes(count * stride);
    const ByteVector before = arena;
    std::vector<OutboundPacket> packets;
    for (std::size_t i = 0; i < count; ++i) {
      packets.push_back({arena.data() + i * stride + room, length});
    }
    Sealer sealer(choice.backend, choice.suite, keys, 5, 6, 1000);
    REQUIRE(sealer.seal(packets) == count);
    for (std::size_t i = 0; i < count; ++i) {
      const ConstBytes payload = ConstBytes(before).subspan(i * stride + room, length);
      const auto expected = record_by_hand(choice.suite, keys, 5 + i, 6 + 5 + i,
                                           ContentType::application_data, payload);
      const ConstBytes record = ConstBytes(arena).subspan(i * stride, stride);
      CHECK(std::equal(record.begin(), record.end(), expected.begin(), expected.end()));
    }
  }
}

TEST_CASE("sealing stops exactly at the limit, within a batch") {
  for (const Choice& choice : all_choices()) {
    Random random(17);
    Sealer sealer(choice.backend, choice.suite, random.keys(), 100, 0, 10);
    const std::size_t room = headroom(choice.suite);
    ByteVector arena(8 * (room + 50 + tailroom));
    std::vector<OutboundPacket> packets;
    for (std::size_t i = 0; i < 8; ++i) {
      packets.push_back({arena.data() + i * (room + 50 + tailroom) + room, 50});
    }
    CHECK(sealer.seal(packets) == 8);
    std::fill(arena.begin(), arena.end(), std::uint8_t{0xee});
    CHECK(sealer.seal(packets) == 2);
    const std::size_t used = 2 * (room + 50 + tailroom);
    CHECK(std::all_of(arena.begin() + static_cast<std::ptrdiff_t>(used), arena.end(),
                      [](std::uint8_t byte) { return byte == 0xee; }));
    CHECK(sealer.seal(packets) == 0);
    CHECK(sealer.sealed() == 10);
    CHECK(sealer.remaining() == 0);
  }
}

TEST_CASE("sequence numbers end at 2^48 - 2, whatever the limit") {
  Random random(19);
  const ByteVector payload(20);
  const auto suite = GENERATE(CipherSuite::aes_128_gcm, CipherSuite::chacha20_poly1305);
  Sealer sealer(CryptoBackend::openssl, suite, random.keys(), max_sequence - 2, 0,
                traits(suite).record_limit);
  CHECK(sequence_of(sealed_record(sealer, payload)) == max_sequence - 2);
  CHECK(sequence_of(sealed_record(sealer, payload)) == max_sequence - 1);
  CHECK(sealed_record(sealer, payload).empty());
  CHECK(sealer.sealed() == 2);
  ByteVector room(headroom(suite) + 2 + tailroom);
  const OutboundPacket last{room.data() + headroom(suite), 2, 0};
  REQUIRE(sealer.seal_last(last, ContentType::alert));
  CHECK(sequence_of(room) == max_sequence);
  CHECK_FALSE(sealer.seal_last(last, ContentType::alert));
  CHECK(sealed_record(sealer, payload).empty());

  Sealer none(CryptoBackend::openssl, suite, random.keys(), max_sequence + 1, 0, 5);
  CHECK(sealed_record(none, payload).empty());
  Sealer nothing_allowed(CryptoBackend::openssl, suite, random.keys(), 1, 0, 0);
  CHECK(sealed_record(nothing_allowed, payload).empty());
}

TEST_CASE("explicit nonces and sequence numbers are unique, even if the nonce wraps") {
  Random random(23);
  const std::uint64_t base = GENERATE(std::uint64_t{0}, ~std::uint64_t{0} - 2000);
  Sealer sealer(best_backend(CipherSuite::aes_128_gcm), CipherSuite::aes_128_gcm, random.keys(),
                1024, base, 5000);
  std::set<std::uint64_t> nonces;
  std::set<std::uint64_t> sequences;
  while (true) {
    const auto record = sealed_record(sealer, ByteVector(1));
    if (record.empty()) break;
    CHECK(explicit_nonce_of(record) == base + sequence_of(record));
    nonces.insert(explicit_nonce_of(record));
    sequences.insert(sequence_of(record));
  }
  CHECK(nonces.size() == 5000);
  CHECK(sequences.size() == 5000);
  CHECK(*sequences.begin() == 1024);
}

TEST_CASE("the limit of the suite holds even if the caller sets a higher one") {
  Random random(29);
  const auto remaining_of = [&](CipherSuite suite, std::uint64_t first, std::uint64_t limit) {
    return Sealer(CryptoBackend::openssl, suite, random.keys(), first, 0, limit).remaining();
  };
  constexpr auto all = ~std::uint64_t{0};
  CHECK(remaining_of(CipherSuite::aes_128_gcm, 7, all) == 23'726'566);
  CHECK(remaining_of(CipherSuite::aes_256_gcm, 7, all) == 23'726'566);
  CHECK(remaining_of(CipherSuite::aes_256_gcm, 7, 23'726'565) == 23'726'565);
  CHECK(remaining_of(CipherSuite::chacha20_poly1305, 7, all) == max_sequence - 7);
  CHECK(remaining_of(CipherSuite::aes_128_gcm, max_sequence - 1, all) == 1);
  CHECK(remaining_of(CipherSuite::aes_128_gcm, max_sequence + 1, all) == 0);
}
