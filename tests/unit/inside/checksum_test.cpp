#include "routevpn/inside/checksum.hpp"

#include <random>
#include <string>
#include <vector>

#include "catch.hpp"
#include "packets.hpp"

using namespace routevpn;
using namespace routevpn::inside;

TEST_CASE("every kernel equals the reference sum at every length and alignment") {
  std::mt19937_64 random(GENERATE(1U, 2U));
  constexpr std::size_t longest = 2000;
  const packets::Octets bytes = packets::random_octets(random, longest + 64);
  packets::Octets copied(bytes.size());
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    CAPTURE(std::string(kernel.name));
    std::size_t faults = 0;
    for (std::size_t length = 0; length <= longest; ++length) {
      const std::size_t shift = length % 64;
      const std::uint16_t expected = packets::naive_sum({bytes.data() + shift, length});
      faults += checksum_fold(kernel.add(bytes.data() + shift, length)) != expected ? 1 : 0;

      std::fill(copied.begin(), copied.end(), std::uint8_t{0xa5});
      const std::size_t target = (length * 7) % 63 + 1;
      const std::uint64_t sum = kernel.copy(copied.data() + target, bytes.data() + shift, length);
      faults += checksum_fold(sum) != expected ? 1 : 0;
      faults += !std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(shift),
                            bytes.begin() + static_cast<std::ptrdiff_t>(shift + length),
                            copied.begin() + static_cast<std::ptrdiff_t>(target))
                    ? 1
                    : 0;
      faults += copied[target - 1] != 0xa5 || copied[target + length] != 0xa5 ? 1 : 0;
    }
    CHECK(faults == 0);
  }
}

TEST_CASE("every kernel equals the reference sum at every alignment of a few lengths") {
  std::mt19937_64 random(GENERATE(3U));
  const packets::Octets bytes = packets::random_octets(random, 1600 + 64);
  const std::size_t length = GENERATE(1U, 63U, 64U, 65U, 255U, 256U, 257U, 1399U, 1400U, 1448U);
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    for (std::size_t shift = 0; shift < 64; ++shift) {
      CHECK(checksum_fold(kernel.add(bytes.data() + shift, length)) ==
            packets::naive_sum({bytes.data() + shift, length}));
    }
  }
}

TEST_CASE("no carry is lost") {
  const std::uint8_t value =
      GENERATE(std::uint8_t{0x00}, std::uint8_t{0xff}, std::uint8_t{0x80}, std::uint8_t{0x7f});
  const std::vector<std::uint8_t> bytes(65535, value);
  for (const ChecksumKernel& kernel : checksum_kernels()) {
    for (const std::size_t length : {65535U, 65534U, 4096U}) {
      CHECK(checksum_fold(kernel.add(bytes.data(), length)) ==
            packets::naive_sum({bytes.data(), length}));
    }
  }
}

TEST_CASE("the sum is added to the initial value") {
  const std::vector<std::uint8_t> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(checksum_add(bytes) == 0xddf2);  // the example of RFC 1071 section 3
  CHECK(checksum_add(bytes, 0x220d) == 0xffff);
  CHECK(checksum_add(bytes, 0x220e) == 0x0001);
  CHECK(checksum_add(bytes, 0xffffffff) == 0xddf2);
  CHECK(checksum_add({}) == 0);
  CHECK(checksum_add({}, 0x10001) == 2);
  const std::vector<std::uint8_t> odd{0x12};
  CHECK(checksum_add(odd) == 0x1200);

  std::vector<std::uint8_t> copied(bytes.size());
  CHECK(checksum_copy(copied.data(), bytes, 0x220e) == 0x0001);
  CHECK(copied == bytes);
}

TEST_CASE("the pseudo-header sum includes addresses, protocol and both halves of the length") {
  const std::vector<std::uint8_t> v4{10, 0, 0, 1, 10, 0, 0, 2};
  CHECK(pseudo_header_sum(v4, 17, 100) == 0x1400 + 3 + 17 + 100);
  const std::vector<std::uint8_t> v6(32, 0);
  CHECK(pseudo_header_sum(v6, 6, 0x00020003) == 2 + 3 + 6);
}
