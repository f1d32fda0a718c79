#include "routevpn/record/cipher.hpp"

#include <thread>

#include <openssl/err.h>

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

struct KnownAnswer {
  const char* source;
  CipherSuite suite;
  const char* key;
  const char* nonce;
  const char* additional;
  const char* plaintext;
  const char* ciphertext;
  const char* tag;
};

// D. McGrew and J. Viega, "The Galois/Counter Mode of Operation", appendix B; RFC 8439.
const std::array<KnownAnswer, 5> known_answers = {{
    {"GCM test case 1", CipherSuite::aes_128_gcm, "00000000000000000000000000000000",
     "000000000000000000000000", "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM test case 4", CipherSuite::aes_128_gcm, "feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84"
     "aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM test case 13", CipherSuite::aes_256_gcm,
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM test case 16", CipherSuite::aes_256_gcm,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 section 2.8.2", CipherSuite::chacha20_poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a2049662049"
     "20636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c20"
     "73756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
     "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
     "4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
}};

struct Sealed {
  ByteVector ciphertext;
  ByteVector tag;
};

Sealed seal(Aead& aead, ConstBytes nonce, ConstBytes additional, ConstBytes plaintext) {
  Sealed result{ByteVector(plaintext.begin(), plaintext.end()), ByteVector(tag_bytes)};
  REQUIRE(aead.seal(nonce.data(), additional, result.ciphertext, result.tag.data()));
  return result;
}

}  // namespace

TEST_CASE("the published test vectors hold for seal and open, repeatedly") {
  for (const Choice& choice : all_choices()) {
    for (const KnownAnswer& known : known_answers) {
      if (known.suite != choice.suite) continue;
      INFO(known.source << " by " << name_of(choice.backend));
      const auto aead = make_aead(choice.backend, choice.suite, from_hex(known.key));
      const auto nonce = from_hex(known.nonce);
      const auto additional = from_hex(known.additional);
      for (int time = 0; time < 2; ++time) {
        auto [data, tag] = seal(*aead, nonce, additional, from_hex(known.plaintext));
        CHECK(data == from_hex(known.ciphertext));
        CHECK(tag == from_hex(known.tag));
        CHECK(aead->open(nonce.data(), additional, data, tag.data()));
        CHECK(data == from_hex(known.plaintext));
      }
    }
  }
}

TEST_CASE("a wrong tag, nonce, key, text or additional data does not open, and leaves no state") {
  for (const Choice& choice : all_choices()) {
    INFO(name_of(choice.backend) << ", suite " << static_cast<int>(choice.suite));
    Random random(7);
    auto key = random.bytes(traits(choice.suite).key_bytes);
    const auto aead = make_aead(choice.backend, choice.suite, key);
    const auto nonce = random.bytes(nonce_bytes);
    const auto additional = random.bytes(13);
    const auto plaintext = random.bytes(100);
    const Sealed sealed = seal(*aead, nonce, additional, plaintext);
    const auto opens = [&](Aead& by, Sealed s, ByteVector n, ByteVector a) {
      return by.open(n.data(), a, s.ciphertext, s.tag.data());
    };
    const auto flip = [](ByteVector bytes, std::size_t at) {
      bytes[at] ^= 0x01;
      return bytes;
    };
    for (std::size_t i = 0; i < tag_bytes; ++i) {
      CHECK_FALSE(opens(*aead, {sealed.ciphertext, flip(sealed.tag, i)}, nonce, additional));
    }
    CHECK_FALSE(opens(*aead, {flip(sealed.ciphertext, 99), sealed.tag}, nonce, additional));
    CHECK_FALSE(opens(*aead, sealed, flip(nonce, 11), additional));
    CHECK_FALSE(opens(*aead, sealed, nonce, flip(additional, 0)));
    const auto other = make_aead(choice.backend, choice.suite, flip(key, 0));
    CHECK_FALSE(opens(*other, sealed, nonce, additional));
    CHECK(opens(*aead, sealed, nonce, additional));
    // A handshake in the same thread would read errors left in OpenSSL's error queue.
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("ipsec-mb and OpenSSL agree for every length") {
  if (!ipsec_mb_works()) {
    WARN("no ipsec-mb here: nothing to compare with OpenSSL");
    return;
  }
  const auto suite = GENERATE(CipherSuite::aes_128_gcm, CipherSuite::aes_256_gcm);
  Random random(static_cast<std::uint64_t>(suite) + 100);
  const auto compare = [&](std::size_t length) {
    const auto key = random.bytes(traits(suite).key_bytes);
    const auto nonce = random.bytes(nonce_bytes);
    const auto additional = random.bytes(13);
    const auto plaintext = random.bytes(length);
    const auto ours = make_aead(CryptoBackend::ipsec_mb, suite, key);
    const auto theirs = make_aead(CryptoBackend::openssl, suite, key);
    const Sealed a = seal(*ours, nonce, additional, plaintext);
    const Sealed b = seal(*theirs, nonce, additional, plaintext);
    INFO("length " << length);
    REQUIRE(a.ciphertext == b.ciphertext);
    REQUIRE(a.tag == b.tag);
    ByteVector data = a.ciphertext;
    REQUIRE(theirs->open(nonce.data(), additional, data, a.tag.data()));
    REQUIRE(data == plaintext);
    data = b.ciphertext;
    REQUIRE(ours->open(nonce.data(), additional, data, b.tag.data()));
    REQUIRE(data == plaintext);
  };
  for (std::size_t length = 0; length <= 1600; ++length) compare(length);
  for (std::size_t length = 16384 - 40; length <= 16384; ++length) compare(length);
}

TEST_CASE("keys made in one thread work in others, several at the same time") {
  for (const Choice& choice : all_choices()) {
    Random random(21);
    const auto key = random.bytes(traits(choice.suite).key_bytes);
    const auto nonce = random.bytes(nonce_bytes);
    const auto first = make_aead(choice.backend, choice.suite, key);
    const auto second = make_aead(choice.backend, choice.suite, key);
    const auto work = [&](Aead& aead, ByteVector& data) {
      std::array<std::uint8_t, tag_bytes> tag{};
      for (int i = 0; i < 1000; ++i) aead.seal(nonce.data(), {}, data, tag.data());
    };
    ByteVector here(500);
    ByteVector there(500);
    std::thread thread([&] { work(*second, there); });
    work(*first, here);
    thread.join();
    CHECK(here == there);
  }
}

TEST_CASE("suites and backends have the documented properties") {
  CHECK(traits(CipherSuite::aes_128_gcm).key_bytes == 16);
  CHECK(traits(CipherSuite::aes_256_gcm).key_bytes == 32);
  CHECK(traits(CipherSuite::chacha20_poly1305).key_bytes == 32);
  CHECK(headroom(CipherSuite::aes_128_gcm) == 21);
  CHECK(headroom(CipherSuite::aes_256_gcm) == 21);
  CHECK(headroom(CipherSuite::chacha20_poly1305) == 13);
  CHECK(traits(CipherSuite::aes_128_gcm).record_limit == 23'726'566);
  CHECK(traits(CipherSuite::chacha20_poly1305).record_limit == std::uint64_t{1} << 48);
  for (const CipherSuite suite : all_suites) {
    CHECK(traits(suite).fixed_iv_bytes + traits(suite).explicit_nonce_bytes == nonce_bytes);
    CHECK(backend_available(best_backend(suite)));
  }
  CHECK(name_of(CryptoBackend::openssl) == "openssl");
  CHECK(name_of(CryptoBackend::ipsec_mb) == "ipsec-mb");
  CHECK(backend_available(CryptoBackend::openssl));
  CHECK(best_backend(CipherSuite::chacha20_poly1305) == CryptoBackend::openssl);
  CHECK((best_backend(CipherSuite::aes_128_gcm) == CryptoBackend::ipsec_mb) ==
        backend_available(CryptoBackend::ipsec_mb));
  if (backend_available(CryptoBackend::ipsec_mb)) CHECK(ipsec_mb_works());
  const ByteVector key(32);
  CHECK_THROWS_AS(make_aead(CryptoBackend::ipsec_mb, CipherSuite::chacha20_poly1305, key),
                  SystemError);
}
