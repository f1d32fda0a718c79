// A Sealer and an Opener continue in another process.
#include "routevpn/base/fields.hpp"
#include "routevpn/record/open.hpp"

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

constexpr std::uint64_t nonce_base = 0x1000;

std::uint64_t number_in(const ByteVector& record) {
  return load_be48(record.data() + 5);
}

// Through the bytes that processes exchange.
template <typename State>
State passed_on(State state) {
  ByteVector room(10000);
  FieldWriter writer(room);
  writer(state);
  REQUIRE(writer.fits());
  State read;
  FieldReader reader(ConstBytes(room).first(writer.bytes()));
  reader(read);
  REQUIRE(reader.complete());
  return read;
}

Opened opened_by(Opener& opener, ByteVector record) {
  const Split split = split_first(record);
  REQUIRE_FALSE(split.fault);
  return opener.open(split.header, split.record);
}

}  // namespace

TEST_CASE("a sealer's successor continues above the gap, and the sealer seals no more") {
  const CryptoBackend backend = CryptoBackend::openssl;
  for (const CipherSuite suite : all_suites) {
    Random random(7);
    const auto keys = random.keys();
    Sealer old(backend, suite, keys, 100, nonce_base, 5000);
    Opener peer(backend, suite, keys, true);
    for (int i = 0; i < 10; ++i)
      CHECK_FALSE(opened_by(peer, sealed_record(old, ByteVector(20))).fault);
    Sealer successor(backend, suite, passed_on(old.hand_over()));
    CHECK(sealed_record(old, ByteVector(20)).empty());
    CHECK(successor.sealed() == 10 + Sealer::handed_over_gap);
    const auto next = sealed_record(successor, ByteVector(20));
    CHECK(number_in(next) == 110 + Sealer::handed_over_gap);
    const auto opened = opened_by(peer, next);
    CHECK_FALSE(opened.fault);
    CHECK(opened.newest);
    // The limit is that of both together.
    std::uint64_t count = 1;
    while (!sealed_record(successor, ByteVector(1)).empty()) ++count;
    CHECK(count == 5000 - 10 - Sealer::handed_over_gap);
  }
}

TEST_CASE("the last number stays used up after a hand-over") {
  Random random(8);
  const auto keys = random.keys();
  ByteVector room(100);
  const OutboundPacket alert{room.data() + 50, 2};
  Sealer old(CryptoBackend::openssl, CipherSuite::aes_128_gcm, keys, 1, nonce_base, 100);
  REQUIRE(old.seal_last(alert, ContentType::alert));
  Sealer successor(CryptoBackend::openssl, CipherSuite::aes_128_gcm, passed_on(old.hand_over()));
  CHECK_FALSE(successor.seal_last(alert, ContentType::alert));
  CHECK_FALSE(old.seal_last(alert, ContentType::alert));
}

TEST_CASE("a sealer that is near its limit hands over no number above it") {
  Random random(9);
  const auto keys = random.keys();
  Sealer old(CryptoBackend::openssl, CipherSuite::aes_128_gcm, keys, 1, nonce_base, 1000);
  while (old.remaining() > 5) REQUIRE_FALSE(sealed_record(old, ByteVector(1)).empty());
  Sealer successor(CryptoBackend::openssl, CipherSuite::aes_128_gcm, passed_on(old.hand_over()));
  CHECK(successor.remaining() == 0);
  CHECK(sealed_record(successor, ByteVector(1)).empty());
}

TEST_CASE("an opener's successor refuses what the opener has received, and counts on") {
  Random random(10);
  const auto keys = random.keys();
  for (const CipherSuite suite : all_suites) {
    Sealer peer(CryptoBackend::openssl, suite, keys, 1, nonce_base, 100000);
    Opener old(CryptoBackend::openssl, suite, keys, true);
    std::vector<ByteVector> records;
    for (int i = 0; i < 9000; ++i) records.push_back(sealed_record(peer, ByteVector(1)));
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i % 3 != 0) CHECK_FALSE(opened_by(old, records[i]).fault);
    }
    Opener successor(CryptoBackend::openssl, suite, passed_on(old.state()));
    CHECK(successor.opened() == old.opened());
    CHECK(successor.highest_sequence() == old.highest_sequence());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto fault = opened_by(successor, records[i]).fault;
      const bool too_old = records.size() - i > ReplayWindow::window;
      const bool received = i % 3 != 0;
      CHECK(fault == (too_old    ? std::optional(Drop::record_too_old)
                      : received ? std::optional(Drop::record_replayed)
                                 : std::nullopt));
    }
    CHECK_FALSE(opened_by(successor, sealed_record(peer, ByteVector(1))).fault);
    if (traits(suite).explicit_nonce_bytes == 0) continue;
    // The base of the explicit nonces is known from the start.
    Sealer other(CryptoBackend::openssl, suite, keys, 90000, nonce_base + 1, 10);
    const auto opened = opened_by(successor, sealed_record(other, ByteVector(1)));
    CHECK(opened.fault == Drop::record_forged);
    CHECK_FALSE(opened.cipher_refused);
  }
}
