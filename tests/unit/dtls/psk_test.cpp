#include "routevpn/dtls/psk.hpp"

#include <numeric>

#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/dtls/envelope.hpp"
#include "routevpn/dtls/key_block.hpp"
#include "routevpn/record/open.hpp"

#include "catch.hpp"
#include "unit/dtls/pair.hpp"
#include "unit/dtls/psks.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::load_psk;

namespace {

// 0, 1, ... 31
const std::string counted_line = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

// The fault without "--psk PATH: ".
std::string fault(const std::string& path) {
  try {
    load_psk(path);
  } catch (const UsageError& error) {
    const std::string text = error.what();
    const std::string prefix = "--psk " + path + ": ";
    REQUIRE(text.starts_with(prefix));
    return text.substr(prefix.size());
  }
  return "(none)";
}

constexpr auto not_a_key = "must hold one line with 32 bytes in base64 (routevpn pki psk makes it)";

}  // namespace

TEST_CASE("a PSK file holds 32 bytes in base64, with or without the end of the line") {
  TempDir dir;
  const auto* const end = GENERATE("", "\n");
  const auto loaded = load_psk(dir.write("psk", counted_line + end));
  CHECK(std::ranges::equal(loaded->envelope_secret(), counted_psk()->envelope_secret()));
  CHECK(std::ranges::equal(loaded->traffic_secret(), counted_psk()->traffic_secret()));
}

TEST_CASE("the secrets of a PSK differ from each other and from those of another PSK") {
  const auto one = make_psk();
  const auto other = make_psk();
  CHECK_FALSE(std::ranges::equal(one->envelope_secret(), one->traffic_secret()));
  CHECK_FALSE(std::ranges::equal(one->envelope_secret(), other->envelope_secret()));
  CHECK_FALSE(std::ranges::equal(one->traffic_secret(), other->traffic_secret()));
}

TEST_CASE("a file that is not one line of a key is refused") {
  TempDir dir;
  auto other_end = counted_line;
  other_end[42] = '9';  // its last two bits are not part of the key
  const std::string text =
      GENERATE_COPY(as<std::string>{}, "", "\n", counted_line.substr(1), counted_line + "=",
                    " " + counted_line, counted_line + "\n\n", counted_line + "\r\n",
                    counted_line + counted_line, std::string(44, '!'), std::string(44, 'A'),
                    other_end, std::string("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd====", 44));
  CAPTURE(text);
  CHECK(fault(dir.write("psk", text)) == not_a_key);
}

TEST_CASE("a PSK file that others may access, of another user, or missing is refused") {
  TempDir dir;
  const auto mode = GENERATE(0640U, 0604U, 0620U, 0601U);
  const auto path = dir.write("psk", counted_line, mode);
  REQUIRE(chmod(path.c_str(), mode) == 0);
  CHECK_THAT(fault(path), Catch::Matchers::EndsWith(
                              "; must be readable by its owner alone (chmod 600 " + path + ")"));
  CHECK(fault(dir.path()) == "not a regular file");
  CHECK(fault(dir.path() + "/none") == "cannot be read: No such file or directory");
  if (geteuid() != 0) return;
  REQUIRE(chmod(path.c_str(), 0600) == 0);
  CHECK(fault(path) == "(none)");
  REQUIRE(chown(path.c_str(), 65534, 65534) == 0);
  CHECK(fault(path) == "owner is user 65534; must be root (chown)");
}

TEST_CASE("the mix of a key block and a PSK is that of another implementation") {
  std::vector<std::uint8_t> block(40);
  std::iota(block.begin(), block.end(), std::uint8_t{0x80});
  dtls::mix_key_block(block, *counted_psk());
  // By Python's hmac: HKDF with the traffic secret as salt.
  const std::vector<std::uint8_t> expected = {
      0x31, 0x16, 0x36, 0x5e, 0x60, 0x8b, 0x1e, 0x3a, 0x6c, 0x53, 0xd7, 0xc9, 0x11, 0x73,
      0xe0, 0x86, 0x46, 0xa1, 0x41, 0xef, 0x83, 0x6c, 0x4b, 0x78, 0xc6, 0x1e, 0x47, 0x57,
      0xae, 0x27, 0xcb, 0x8e, 0xd0, 0x0e, 0xa2, 0x2c, 0x34, 0x8e, 0x5e, 0x11};
  CHECK(block == expected);
}

TEST_CASE("both ends mix the PSK into the traffic keys, for every suite") {
  const auto* const cipher =
      GENERATE("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
               "ECDHE-ECDSA-CHACHA20-POLY1305");
  Pair pair(make_identities(KeyKind::p256, cipher, {psk_line(1)}));
  REQUIRE(pair.run());
  const auto& a = pair.initiator->established();
  const auto& b = pair.acceptor->established();
  CHECK(a.control_messages);
  CHECK(b.control_messages);
  CHECK(a.send.key == b.receive.key);
  CHECK(a.send.iv == b.receive.iv);
  CHECK(a.receive.key == b.send.key);
  // OpenSSL sealed the peer's Finished with the key block itself, which must not open it.
  auto sealed = epoch_one_records(pair.from_acceptor).front().bytes;
  record::Opener opener(record::CryptoBackend::openssl, a.suite, a.receive);
  const auto split = record::split_first(sealed);
  CHECK(opener.open(split.header, split.record).fault == Drop::record_forged);
}

TEST_CASE("the traffic keys of two ends with different PSKs differ") {
  Pair pair(make_identities(KeyKind::p256, "", {psk_line(1)}));
  pair.acceptor_psk = make_psk();
  REQUIRE(pair.run());  // envelopes, which this pair does not use, would refuse each other
  CHECK(pair.initiator->established().send.key != pair.acceptor->established().receive.key);
}

TEST_CASE("an end with a PSK refuses a peer without, in both roles") {
  TestCa ca;
  const auto make = [&](const char* name, const char* peer, const std::vector<std::string>& psks) {
    return make_identity(ca.issue({.name = name}), ca.certificate(), peer, "", "", psks);
  };
  const std::string expected =
      "the peer does not agree on ALPN routevpn/2+psk or routevpn/1+psk, which a link with a PSK "
      "needs";
  SECTION("an acceptor") {
    Pair pair({make("V3-1", "V3-2", {}), make("V3-2", "V3-1", {psk_line(1)})});
    CHECK_FALSE(pair.run());
    CHECK(pair.acceptor->failure().text == expected);
  }
  SECTION("an initiator") {
    Pair pair({make("V3-1", "V3-2", {psk_line(1)}), make("V3-2", "V3-1", {})});
    CHECK_FALSE(pair.run());
    CHECK(pair.initiator->failure().text == expected);
  }
}

TEST_CASE("a handshake datagram and its envelope fit the smallest IPv6 path") {
  const bool with_psk = GENERATE(false, true);
  const std::vector<std::string> psks(with_psk ? 1 : 0, psk_line(1));
  // A certificate with many names needs more than a datagram.
  TestCa ca;
  std::string names = "DNS:V3-2";
  for (int i = 0; i < 60; ++i) names += ",DNS:name-of-a-gateway-" + std::to_string(i);
  Pair pair({make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2", "", "", psks),
             make_identity(ca.issue({.name = "V3-2", .alternative_names = names}), ca.certificate(),
                           "V3-1", "", "", psks)});
  REQUIRE(pair.run());
  std::size_t largest = 0;
  for (const auto& datagram : pair.from_acceptor) largest = std::max(largest, datagram.size());
  CHECK(largest == (with_psk ? 1232 - dtls::envelope_overhead : 1232));
}
