#include "routevpn/dtls/envelope.hpp"

#include <set>

#include <openssl/err.h>

#include "../../../src/dtls/replay_cache.hpp"
#include "catch.hpp"
#include "unit/dtls/psks.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Envelopes, dtls::Psks, dtls::ReplayCache, dtls::Role;
using Sealed = std::vector<std::uint8_t>;

namespace {

constexpr std::int64_t stamp = 1700000000;

// Made by a program of its own with Python's hmac and cryptography: the PSK is 0, 1, ... 31, the
// sender an initiator on lane 2, the salt 0x40..0x4f, the nonce 0x60..0x67, the datagram 16 fe fd
// "hello".
constexpr std::string_view known_envelope =
    "0c404142434445464748494a4b4c4d4e4f6061626364656667"
    "e2afbbba4367a2f4c828b75e50504e9966f4f2207858f3d83af585ddc8e97ddb";
const Sealed known_datagram = {0x16, 0xfe, 0xfd, 'h', 'e', 'l', 'l', 'o'};

Sealed from_hex(std::string_view hex) {
  Sealed bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::vector<std::uint8_t> copy(ConstBytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::optional<Drop> fault_of(Envelopes& at, ConstBytes envelope, std::int64_t now = stamp) {
  const auto opened = at.open(envelope, now);
  CHECK(opened.fault.has_value() == opened.datagram.empty());
  CHECK(ERR_peek_error() == 0);
  return opened.fault;
}

// Two ends of a lane with one PSK.
struct Ends {
  dtls::PskPtr key = make_psk();
  Envelopes initiator{{key}, Role::initiator, 0};
  Envelopes acceptor{{key}, Role::acceptor, 0};
};

}  // namespace

TEST_CASE("an envelope made by another implementation opens") {
  Envelopes acceptor({counted_psk()}, Role::acceptor, 2);
  const auto opened = acceptor.open(from_hex(known_envelope), stamp);
  REQUIRE_FALSE(opened.fault);
  CHECK(copy(opened.datagram) == known_datagram);
}

TEST_CASE("an envelope opens at the other end only, once, and differs each time") {
  Ends ends;
  const Sealed datagram(1183, 22);
  const auto first = ends.initiator.seal(ends.key, datagram, stamp);
  const auto second = ends.initiator.seal(ends.key, datagram, stamp);
  CHECK(first != second);
  CHECK(first.size() == datagram.size() + dtls::envelope_overhead);
  CHECK(fault_of(ends.initiator, first) == Drop::psk_mismatch);  // reflected
  const auto opened = ends.acceptor.open(first, stamp);
  CHECK(copy(opened.datagram) == datagram);
  CHECK(opened.key == ends.key);
  CHECK(fault_of(ends.acceptor, first) == Drop::psk_replayed);
  CHECK(fault_of(ends.acceptor, second) == std::nullopt);
}

TEST_CASE("an envelope with any changed byte or length does not authenticate") {
  Ends ends;
  const auto sealed = ends.initiator.seal(ends.key, known_datagram, stamp);
  for (std::size_t i = 1; i < sealed.size(); ++i) {
    CAPTURE(i);
    auto changed = sealed;
    changed[i] ^= 0x10;
    CHECK(fault_of(ends.acceptor, changed) == Drop::psk_mismatch);
    CHECK(fault_of(ends.acceptor, ConstBytes(sealed).first(i)) == Drop::psk_mismatch);
  }
  auto longer = sealed;
  longer.push_back(0);
  CHECK(fault_of(ends.acceptor, longer) == Drop::psk_mismatch);
  CHECK(fault_of(ends.acceptor, Sealed(65535, dtls::envelope_byte)) == Drop::psk_mismatch);
  CHECK(fault_of(ends.acceptor, sealed) == std::nullopt);  // forgeries do not use it up
}

TEST_CASE("an envelope of another PSK or another lane does not authenticate") {
  Ends ends;
  Envelopes stranger({make_psk()}, Role::initiator, 0);
  Envelopes other_lane({ends.key}, Role::initiator, 1);
  CHECK(fault_of(ends.acceptor, stranger.seal(stranger.own_key(), known_datagram, stamp)) ==
        Drop::psk_mismatch);
  CHECK(fault_of(ends.acceptor, other_lane.seal(ends.key, known_datagram, stamp)) ==
        Drop::psk_mismatch);
}

TEST_CASE("with a PSK a datagram without envelope is refused, without a PSK an envelope") {
  Ends ends;
  CHECK(fault_of(ends.acceptor, known_datagram) == Drop::psk_missing);
  CHECK(fault_of(ends.acceptor, {}) == Drop::psk_missing);
  Envelopes plain({}, Role::acceptor, 0);
  CHECK(fault_of(plain, ends.initiator.seal(ends.key, known_datagram, stamp)) ==
        Drop::psk_unexpected);
  CHECK(copy(plain.open(known_datagram, stamp).datagram) == known_datagram);
  CHECK(plain.own_key() == nullptr);
  CHECK(plain.seal(nullptr, known_datagram, stamp) == known_datagram);
}

TEST_CASE("an envelope is accepted within 5 minutes of its time") {
  Ends ends;
  const auto at = [&](std::int64_t difference) {
    const auto sealed = ends.initiator.seal(ends.key, known_datagram, stamp + difference);
    return fault_of(ends.acceptor, sealed, stamp);
  };
  CHECK(at(-301) == Drop::psk_stale);
  CHECK(at(-300) == std::nullopt);
  CHECK(at(300) == std::nullopt);
  CHECK(at(301) == Drop::psk_stale);
  CHECK(at(INT64_MAX - stamp) == Drop::psk_stale);
  CHECK(at(INT64_MIN + stamp) == Drop::psk_stale);
}

TEST_CASE("during a rollover both keys open, and the answer uses the key of the question") {
  const auto old_key = make_psk();
  const auto new_key = make_psk();
  Envelopes initiator({new_key, old_key}, Role::initiator, 0);
  Envelopes acceptor({old_key, new_key}, Role::acceptor, 0);
  CHECK(initiator.own_key() == new_key);
  const auto question = initiator.seal(initiator.own_key(), known_datagram, stamp);
  const auto opened = acceptor.open(question, stamp);
  CHECK(opened.key == new_key);
  CHECK(initiator.open(acceptor.seal(opened.key, known_datagram, stamp), stamp).key == new_key);
  CHECK(initiator.open(acceptor.seal(acceptor.own_key(), known_datagram, stamp), stamp).key ==
        old_key);
  acceptor.replace_keys({new_key});
  CHECK(fault_of(acceptor, initiator.seal(old_key, known_datagram, stamp)) == Drop::psk_mismatch);
}

TEST_CASE("an envelope stays used when the keys are loaded again") {
  Ends ends;
  const auto sealed = ends.initiator.seal(ends.key, known_datagram, stamp);
  CHECK(fault_of(ends.acceptor, sealed) == std::nullopt);
  ends.acceptor.replace_keys({ends.key});
  CHECK(fault_of(ends.acceptor, sealed) == Drop::psk_replayed);
}

TEST_CASE("a full replay cache refuses what it has forgotten, and never a newer envelope") {
  ReplayCache cache;
  constexpr auto capacity = static_cast<std::int64_t>(ReplayCache::capacity);
  const auto identifier = [](std::int64_t i) { return static_cast<std::uint64_t>(i); };
  for (std::int64_t i = 0; i < 3 * capacity; ++i) REQUIRE(cache.add(identifier(i), stamp + i));
  for (std::int64_t i = 0; i < 3 * capacity; ++i)
    REQUIRE_FALSE(cache.add(identifier(i), stamp + i));
  CHECK_FALSE(cache.add(identifier(-1), stamp + 2 * capacity - 1));  // as old as a forgotten one
  CHECK(cache.add(identifier(-1), stamp + 2 * capacity));
}
