#include "routevpn/record/open.hpp"

#include <algorithm>

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

// Splits and opens a record, in place.
Opened open(Opener& opener, ByteVector& record) {
  const Split split = split_first(record);
  REQUIRE_FALSE(split.fault);
  return opener.open(split.header, split.record);
}

struct Pair {
  Pair(const Choice& choice, std::uint64_t seed, std::uint64_t first = 1)
      : random(seed),
        keys(random.keys()),
        sealer(choice.backend, choice.suite, keys, first, 0x1000, 1'000'000),
        opener(choice.backend, choice.suite, keys) {}
  Random random;
  DirectionKeys keys;
  Sealer sealer;
  Opener opener;
};

}  // namespace

TEST_CASE("a sealed record opens to its payload, with every suite and backend") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Pair pair(choice, 31, 1024);
    std::uint64_t count = 0;
    for (const std::size_t length : {1U, 20U, 40U, 64U, 576U, 1280U, 1415U, 9000U, 16384U}) {
      const auto payload = pair.random.bytes(length);
      auto record = sealed_record(pair.sealer, payload);
      const Opened opened = open(pair.opener, record);
      REQUIRE_FALSE(opened.fault);
      CHECK(opened.newest);
      CHECK(opened.payload.data() == record.data() + headroom(choice.suite));
      CHECK(
          std::equal(opened.payload.begin(), opened.payload.end(), payload.begin(), payload.end()));
      CHECK(pair.opener.opened() == ++count);
    }
    CHECK(pair.opener.highest_sequence() == 1024 + count - 1);
  }
}

TEST_CASE("an empty payload is allowed, RFC 5246 section 6.2.1") {
  for (const Choice& choice : all_choices()) {
    Pair pair(choice, 37);
    auto record = sealed_record(pair.sealer, {});
    const Opened opened = open(pair.opener, record);
    CHECK_FALSE(opened.fault);
    CHECK(opened.payload.empty());
    CHECK(pair.opener.opened() == 1);
  }
}

TEST_CASE("the explicit nonce is read from the record, not computed") {
  Random random(41);
  const auto keys = random.keys();
  Opener opener(CryptoBackend::openssl, CipherSuite::aes_128_gcm, keys);
  for (const std::uint64_t sequence : {9U, 10U, 11U}) {
    Sealer sealer(CryptoBackend::openssl, CipherSuite::aes_128_gcm, keys, sequence,
                  random.below(~std::uint64_t{0}), 1);
    auto record = sealed_record(sealer, random.bytes(99));
    CHECK_FALSE(open(opener, record).fault);
  }
}

TEST_CASE("a record with any byte changed is forged or malformed") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Pair pair(choice, 43, 20'000);
    const auto payload = pair.random.bytes(150);
    const auto good = sealed_record(pair.sealer, payload);
    std::uint64_t forged = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const unsigned mask : {0x01U, 0x80U}) {
        auto record = good;
        record[i] = static_cast<std::uint8_t>(record[i] ^ mask);
        const Split split = split_first(record);
        if (split.fault) {
          CHECK(i < header_bytes);
          continue;
        }
        INFO("byte " << i);
        // Most changed records keep their length; a smaller length field truncates the record.
        if (split.record.size() < headroom(choice.suite) + tailroom) continue;
        const auto before = record;
        const Opened opened = pair.opener.open(split.header, split.record);
        CHECK(opened.fault == Drop::record_forged);
        CHECK(opened.cipher_refused);
        CHECK(record == before);
        ++forged;
      }
    }
    CHECK(forged > 2 * (good.size() - header_bytes));
    CHECK(pair.opener.highest_sequence() == 0);
    auto record = good;
    const Opened opened = open(pair.opener, record);
    REQUIRE_FALSE(opened.fault);
    CHECK(std::equal(opened.payload.begin(), opened.payload.end(), payload.begin(), payload.end()));
  }
}

TEST_CASE("the keys of the other direction do not open a record") {
  for (const Choice& choice : all_choices()) {
    Pair pair(choice, 47);
    auto record = sealed_record(pair.sealer, pair.random.bytes(80));
    Opener other(choice.backend, choice.suite, pair.random.keys());
    CHECK(open(other, record).fault == Drop::record_forged);
    CHECK(other.opened() == 0);
    CHECK_FALSE(open(pair.opener, record).fault);
  }
}

TEST_CASE("a record whose explicit nonce does not count is refused without the cipher") {
  for (const Choice& choice : all_choices()) {
    Random random(59);
    const DirectionKeys keys = random.keys();
    Sealer sealer(choice.backend, choice.suite, keys, 1024, 77, 1000);
    Opener opener(choice.backend, choice.suite, keys, true);
    const bool explicit_nonces = traits(choice.suite).explicit_nonce_bytes != 0;
    auto before_any = sealed_record(sealer, random.bytes(80));
    before_any[header_bytes] ^= 1;
    CHECK(open(opener, before_any).cipher_refused);
    auto good = sealed_record(sealer, random.bytes(80));
    CHECK_FALSE(open(opener, good).fault);
    auto bad = sealed_record(sealer, random.bytes(80));
    bad[header_bytes] ^= 1;
    const Opened opened = open(opener, bad);
    CHECK(opened.fault == Drop::record_forged);
    CHECK(opened.cipher_refused != explicit_nonces);
    bad[header_bytes] ^= 1;
    CHECK_FALSE(open(opener, bad).fault);
  }
}

TEST_CASE("lengths that no sealed record has are refused, and the bytes stay unchanged") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Pair pair(choice, 53);
    const std::size_t overhead = headroom(choice.suite) + tailroom - header_bytes;
    const auto fault_of_length = [&](std::size_t fragment) {
      ByteVector record = pair.random.bytes(header_bytes + fragment);
      encode({ContentType::application_data, dtls_1_2, 1, 5, static_cast<std::uint16_t>(fragment)},
             record.data());
      const ByteVector before = record;
      const auto fault = open(pair.opener, record).fault;
      if (fault == Drop::record_length) CHECK(record == before);
      return fault;
    };
    for (std::size_t fragment = 1; fragment < overhead; ++fragment) {
      CHECK(fault_of_length(fragment) == Drop::record_length);
    }
    CHECK(fault_of_length(overhead) == Drop::record_forged);
    CHECK(fault_of_length(max_plaintext_bytes + overhead) == Drop::record_forged);
    CHECK(fault_of_length(max_plaintext_bytes + overhead + 1) == Drop::record_length);
    CHECK(fault_of_length(max_fragment_bytes) == Drop::record_length);
  }
}

TEST_CASE("a record truncated to any length is refused") {
  for (const Choice& choice : all_choices()) {
    Pair pair(choice, 59);
    const auto good = sealed_record(pair.sealer, pair.random.bytes(60));
    for (std::size_t fragment = 1; fragment < good.size() - header_bytes; ++fragment) {
      ByteVector record(good.begin(),
                        good.begin() + static_cast<std::ptrdiff_t>(header_bytes + fragment));
      store_be16(record.data() + 11, static_cast<std::uint16_t>(fragment));
      const bool possible = record.size() >= headroom(choice.suite) + tailroom;
      CHECK(open(pair.opener, record).fault ==
            (possible ? Drop::record_forged : Drop::record_length));
    }
  }
}

TEST_CASE("replayed and too old records are refused unchanged, and only authentic records count") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Pair pair(choice, 61);
    std::vector<ByteVector> records;
    for (std::uint64_t i = 0; i <= ReplayWindow::window; ++i) {
      records.push_back(sealed_record(pair.sealer, pair.random.bytes(8)));
    }
    // A forged record with a much higher sequence number must not move the window.
    auto forged = records[0];
    store_be48(forged.data() + 5, max_sequence);
    CHECK(open(pair.opener, forged).fault == Drop::record_forged);
    CHECK(pair.opener.highest_sequence() == 0);

    auto second = records[1];
    CHECK(open(pair.opener, second).newest);
    auto again = records[1];
    CHECK(open(pair.opener, again).fault == Drop::record_replayed);
    CHECK(again == records[1]);

    auto newest = records.back();
    CHECK(open(pair.opener, newest).newest);
    auto too_late = records[0];
    CHECK(open(pair.opener, too_late).fault == Drop::record_too_old);
    CHECK(too_late == records[0]);
    auto late = records[2];
    const Opened opened = open(pair.opener, late);
    CHECK_FALSE(opened.fault);
    CHECK_FALSE(opened.newest);
    CHECK(pair.opener.opened() == 3);
  }
}

TEST_CASE("each backend opens what the other sealed") {
  if (!ipsec_mb_works()) {
    WARN("no ipsec-mb here: nothing to exchange with OpenSSL");
    return;
  }
  Random random(67);
  const auto suite = GENERATE(CipherSuite::aes_128_gcm, CipherSuite::aes_256_gcm);
  const auto keys = random.keys();
  Sealer openssl(CryptoBackend::openssl, suite, keys, 1, 0, 1000);
  Sealer ipsec_mb(CryptoBackend::ipsec_mb, suite, keys, 1, 0, 1000);
  Opener by_openssl(CryptoBackend::openssl, suite, keys);
  Opener by_ipsec_mb(CryptoBackend::ipsec_mb, suite, keys);
  for (std::size_t length = 0; length < 300; ++length) {
    const auto payload = random.bytes(length);
    auto a = sealed_record(openssl, payload);
    auto b = sealed_record(ipsec_mb, payload);
    REQUIRE(a == b);
    REQUIRE_FALSE(open(by_ipsec_mb, a).fault);
    REQUIRE_FALSE(open(by_openssl, b).fault);
    REQUIRE(a == b);
  }
}
