// Two threads seal with one Sealer, and open with one Opener.

#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "routevpn/record/open.hpp"

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

constexpr std::uint64_t first_number = 1024;
constexpr std::size_t payload_bytes = 40;

// A batch of packets in memory of its own.
class Batch {
 public:
  Batch(CipherSuite suite, std::size_t count) : room_(headroom(suite) + payload_bytes + tailroom) {
    memory_.resize(count * room_);
    for (std::size_t i = 0; i < count; ++i) {
      packets.push_back({memory_.data() + i * room_ + headroom(suite), payload_bytes, 0});
    }
  }
  [[nodiscard]] Bytes record(std::size_t i) { return Bytes(memory_).subspan(i * room_, room_); }
  std::vector<OutboundPacket> packets;

 private:
  std::size_t room_;
  ByteVector memory_;
};

std::uint64_t sequence_of(Bytes record) {
  return split_first(record).header.sequence;
}

}  // namespace

TEST_CASE("two threads never seal with the same number, and stop at the limit together") {
  Random random(3);
  const auto suite = CipherSuite::aes_128_gcm;
  constexpr std::size_t limit = 20'000;
  Sealer sealer(CryptoBackend::openssl, suite, random.keys(), first_number, 0, limit);
  sealer.add_second_thread(CryptoBackend::openssl);
  std::array<std::vector<std::uint64_t>, 2> numbers;
  const auto seal = [&](std::size_t thread) {
    for (;;) {
      Batch batch(suite, 7);
      const auto sealed =
          thread == 0 ? sealer.seal(batch.packets) : sealer.seal_beside(batch.packets);
      for (std::size_t i = 0; i < sealed; ++i) {
        numbers[thread].push_back(sequence_of(batch.record(i)));
      }
      if (sealed < batch.packets.size()) return;
    }
  };
  std::thread second(seal, 1);
  seal(0);
  second.join();
  std::set<std::uint64_t> all(numbers[0].begin(), numbers[0].end());
  all.insert(numbers[1].begin(), numbers[1].end());
  CHECK(all.size() == limit);
  CHECK(numbers[0].size() + numbers[1].size() == limit);
  CHECK(*all.begin() == first_number);
  CHECK(*all.rbegin() == first_number + limit - 1);
  CHECK(sealer.remaining() == 0);
}

TEST_CASE("of two threads that receive the same records one accepts each") {
  Random random(4);
  const auto suite = GENERATE(CipherSuite::aes_128_gcm, CipherSuite::chacha20_poly1305);
  const auto keys = random.keys();
  constexpr std::size_t count = 4000;
  Sealer sealer(CryptoBackend::openssl, suite, keys, first_number, 0, count + 1);
  Opener opener(CryptoBackend::openssl, suite, keys, true);
  opener.add_second_thread(CryptoBackend::openssl);
  Batch one(suite, 1);
  REQUIRE(sealer.seal(one.packets) == 1);
  REQUIRE_FALSE(opener.open(split_first(one.record(0)).header, one.record(0)).fault);

  Batch mine(suite, count);
  REQUIRE(sealer.seal(mine.packets) == count);
  Batch other(suite, count);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy(mine.record(i).begin(), mine.record(i).end(), other.record(i).begin());
  }
  std::atomic<std::size_t> accepted_by_second{0};
  std::thread second([&] {
    for (std::size_t i = 0; i < count; ++i) {
      const auto header = split_first(other.record(i)).header;
      const auto opened = opener.decrypt_beside(header, other.record(i));
      if (!opened.fault && opener.take(header)) ++accepted_by_second;
    }
  });
  std::size_t accepted_by_first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto opened = opener.open(split_first(mine.record(i)).header, mine.record(i));
    if (!opened.fault) ++accepted_by_first;
  }
  second.join();
  CHECK(accepted_by_first + accepted_by_second == count);
  CHECK(opener.opened() == count + 1);
}

TEST_CASE("a record that the second thread decrypts and does not take is still fresh") {
  Random random(5);
  const auto keys = random.keys();
  const auto suite = CipherSuite::aes_128_gcm;
  Sealer sealer(CryptoBackend::openssl, suite, keys, first_number, 0, 10);
  Opener opener(CryptoBackend::openssl, suite, keys, true);
  opener.add_second_thread(CryptoBackend::openssl);
  Batch batch(suite, 1);
  REQUIRE(sealer.seal(batch.packets) == 1);
  ByteVector copy(batch.record(0).begin(), batch.record(0).end());
  const auto header = split_first(copy).header;
  CHECK_FALSE(opener.decrypt_beside(header, copy).fault);
  CHECK(opener.opened() == 0);
  CHECK_FALSE(opener.open(header, batch.record(0)).fault);
  CHECK_FALSE(opener.take(header));
  CHECK(opener.opened() == 1);
}
