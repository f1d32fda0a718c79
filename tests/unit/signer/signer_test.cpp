// What the holder of the private key signs, and what it refuses.
#include "routevpn/signer/signer.hpp"

#include "catch.hpp"
#include "keys.hpp"

using namespace routevpn;
using namespace routevpn::test;
using signer::SignDigest;
using signer::Signer;
using signer::SignRequest;
using signer::SignScheme;

namespace {

using Signature = std::array<std::uint8_t, signer::max_signature_bytes>;

const Time start(std::chrono::hours(1));
const std::vector<std::uint8_t> zeros(signer::max_message_bytes + 1);

constexpr std::array all_schemes = {SignScheme::ecdsa, SignScheme::rsa_pkcs1, SignScheme::rsa_pss,
                                    SignScheme::ed25519};
constexpr std::array all_digests = {SignDigest::none, SignDigest::sha256, SignDigest::sha384};

ConstBytes first(std::size_t size) {
  return ConstBytes(zeros).first(size);
}

bool is_of(Kind kind, SignScheme scheme, SignDigest digest) {
  const auto kinds = signature_kinds(kind);
  return std::any_of(kinds.begin(), kinds.end(), [&](const SignatureKind& one) {
    return one.scheme == scheme && one.digest == digest;
  });
}

}  // namespace

TEST_CASE("a signer signs with the schemes and digests of its key, and refuses all others") {
  for (const Kind kind : all_kinds) {
    Signer signer(private_key(kind), ample_rate);
    for (const SignScheme scheme : all_schemes) {
      for (const SignDigest digest : all_digests) {
        CAPTURE(static_cast<int>(kind), static_cast<int>(scheme), static_cast<int>(digest));
        Signature signature{};
        const auto size =
            signer.sign({scheme, digest, first(signer::digest_bytes(digest))}, signature, start);
        if (is_of(kind, scheme, digest)) {
          CHECK(size > 0);
          CHECK(size <= static_cast<std::size_t>(EVP_PKEY_get_size(private_key(kind).get())));
        } else {
          CHECK(size == 0);
        }
      }
    }
    CHECK(signer.rate_refusals() == 0);
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("a signer refuses enumerators that do not exist") {
  for (const Kind kind : all_kinds) {
    Signer signer(private_key(kind), ample_rate);
    Signature signature{};
    CHECK(signer.sign({static_cast<SignScheme>(4), SignDigest::sha256, first(32)}, signature,
                      start) == 0);
    for (const SignScheme scheme : all_schemes) {
      CHECK(signer.sign({scheme, static_cast<SignDigest>(200), first(0)}, signature, start) == 0);
    }
  }
}

TEST_CASE("a signer refuses a digest of the wrong length") {
  for (const Kind kind : {Kind::p256, Kind::p384, Kind::rsa2048}) {
    Signer signer(private_key(kind), ample_rate);
    Signature signature{};
    for (const auto& one : signature_kinds(kind)) {
      const auto size = signer::digest_bytes(one.digest);
      for (const std::size_t wrong :
           {std::size_t{0}, size - 1, size + 1, 2 * size, signer::max_message_bytes}) {
        CHECK(signer.sign({one.scheme, one.digest, first(wrong)}, signature, start) == 0);
      }
    }
  }
}

TEST_CASE("a signer refuses an Ed25519 message longer than a transcript") {
  Signer signer(private_key(Kind::ed25519), ample_rate);
  Signature signature{};
  const auto sign = [&](std::size_t size) {
    return signer.sign({SignScheme::ed25519, SignDigest::none, first(size)}, signature, start);
  };
  CHECK(sign(signer::max_message_bytes) == 64);
  CHECK(sign(signer::max_message_bytes + 1) == 0);
}

TEST_CASE("a signer refuses when the longest signature has no room") {
  for (const Kind kind : all_kinds) {
    Signer signer(private_key(kind), ample_rate);
    const auto longest = static_cast<std::size_t>(EVP_PKEY_get_size(private_key(kind).get()));
    const auto one = signature_kinds(kind).front();
    std::vector<std::uint8_t> signature(longest);
    const SignRequest request{one.scheme, one.digest, first(signer::digest_bytes(one.digest))};
    CHECK(signer.sign(request, std::span(signature).first(longest - 1), start) == 0);
    CHECK(signer.sign(request, signature, start) > 0);
  }
}

TEST_CASE("a signer keeps to its rate") {
  Signer signer(private_key(Kind::p256), {std::chrono::milliseconds(5), 200});
  Signature signature{};
  const SignRequest good{SignScheme::ecdsa, SignDigest::sha256, first(32)};
  const SignRequest bad{SignScheme::ecdsa, SignDigest::sha256, first(31)};
  for (int i = 0; i < 1000; ++i) CHECK(signer.sign(bad, signature, start) == 0);
  // Requests that do not fit took nothing from the bucket.
  for (int i = 0; i < 200; ++i) REQUIRE(signer.sign(good, signature, start) > 0);
  for (int i = 0; i < 10; ++i) CHECK(signer.sign(good, signature, start) == 0);
  CHECK(signer.rate_refusals() == 10);
  using std::chrono::milliseconds;
  CHECK(signer.sign(good, signature, start + milliseconds(4)) == 0);
  CHECK(signer.sign(good, signature, start + milliseconds(5)) > 0);
  CHECK(signer.sign(good, signature, start + milliseconds(5)) == 0);
  CHECK(signer.rate_refusals() == 12);
}

TEST_CASE("a signer needs a private key") {
  for (const Kind kind : all_kinds) {
    CHECK_THROWS_WITH(Signer(public_part(private_key(kind)), ample_rate),
                      "the private key cannot sign: it has no private part");
  }
  CHECK(ERR_peek_error() == 0);
}
