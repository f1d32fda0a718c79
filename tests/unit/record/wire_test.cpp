#include "routevpn/record/wire.hpp"

#include <array>
#include <vector>

#include "catch.hpp"
#include "support.hpp"

using namespace routevpn;
using namespace routevpn::record;

namespace {

// A datagram with one record of these fields and `present` bytes of fragment.
std::vector<std::uint8_t> datagram_of(const Header& header, std::size_t present) {
  std::vector<std::uint8_t> bytes(header_bytes + present);
  encode(header, bytes.data());
  return bytes;
}

}  // namespace

TEST_CASE("a record header has these bytes on the wire") {
  const Header header{ContentType::application_data, dtls_1_2, 1, 0x010203040506, 0x0578};
  std::array<std::uint8_t, header_bytes> at{};
  encode(header, at.data());
  CHECK(at ==
        std::array<std::uint8_t, header_bytes>{23, 0xfe, 0xfd, 0, 1, 1, 2, 3, 4, 5, 6, 0x05, 0x78});
}

TEST_CASE("an encoded header is split to the same header, with all bytes of the record") {
  const auto type = GENERATE(ContentType::change_cipher_spec, ContentType::alert,
                             ContentType::handshake, ContentType::application_data);
  const std::uint16_t epoch = GENERATE(std::uint16_t{0}, std::uint16_t{1});
  auto bytes = datagram_of({type, dtls_1_2, epoch, max_sequence, 40}, 40 + 7);
  const Split split = split_first(bytes);
  REQUIRE_FALSE(split.fault);
  CHECK(split.header.type == type);
  CHECK(split.header.version == dtls_1_2);
  CHECK(split.header.epoch == epoch);
  CHECK(split.header.sequence == max_sequence);
  CHECK(split.header.length == 40);
  CHECK(split.record.data() == bytes.data());
  CHECK(split.record.size() == header_bytes + 40);
}

TEST_CASE("a datagram of several records is split record by record") {
  auto bytes = datagram_of({ContentType::handshake, dtls_1_0, 0, 1, 5}, 5);
  const auto second = datagram_of({ContentType::application_data, dtls_1_2, 1, 2, 30}, 30);
  bytes.insert(bytes.end(), second.begin(), second.end());
  Bytes rest(bytes);
  const Split first = split_first(rest);
  REQUIRE_FALSE(first.fault);
  CHECK(first.header.version == dtls_1_0);
  rest = rest.subspan(first.record.size());
  const Split last = split_first(rest);
  REQUIRE_FALSE(last.fault);
  CHECK(last.header.sequence == 2);
  CHECK(last.record.size() == rest.size());
  CHECK(split_first(rest.subspan(last.record.size())).fault == Drop::record_truncated);
}

TEST_CASE("each fault has its reason") {
  struct Case {
    const char* what;
    int type;
    std::uint16_t version;
    std::uint16_t epoch;
    std::uint16_t length;
    std::size_t present;
    std::optional<Drop> fault;
  };
  const auto c = GENERATE(values<Case>({
      {"the smallest record", 23, dtls_1_2, 1, 1, 1, std::nullopt},
      {"the largest record", 23, dtls_1_2, 1, max_fragment_bytes, max_fragment_bytes, std::nullopt},
      {"a type below all", 19, dtls_1_2, 1, 30, 30, Drop::record_type},
      {"a heartbeat", 24, dtls_1_2, 1, 30, 30, Drop::record_type},
      {"a DTLS 1.3 unified header", 0x2f, dtls_1_2, 1, 30, 30, Drop::record_type},
      {"TLS 1.2", 22, 0x0303, 0, 30, 30, Drop::record_version},
      {"DTLS 1.3", 22, 0xfefc, 0, 30, 30, Drop::record_version},
      {"DTLS 1.0 in a first flight", 22, dtls_1_0, 0, 30, 30, std::nullopt},
      {"DTLS 1.0 with keys", 23, dtls_1_0, 1, 30, 30, Drop::record_version},
      {"a renegotiated epoch", 23, dtls_1_2, 2, 30, 30, Drop::record_epoch},
      {"the last epoch", 23, dtls_1_2, 0xffff, 30, 30, Drop::record_epoch},
      {"an empty fragment", 23, dtls_1_2, 1, 0, 0, Drop::record_length},
      {"an empty fragment, bytes behind it", 22, dtls_1_2, 0, 0, 30, Drop::record_length},
      {"more than RFC 5246 allows", 23, dtls_1_2, 1, max_fragment_bytes + 1, max_fragment_bytes + 1,
       Drop::record_length},
      {"too long to be whole, too", 23, dtls_1_2, 1, 0xffff, 10, Drop::record_length},
      {"a fragment one byte short", 23, dtls_1_2, 1, 30, 29, Drop::record_truncated},
      {"a header alone", 23, dtls_1_2, 1, 30, 0, Drop::record_truncated},
      {"type before version", 24, 0x0303, 2, 0, 0, Drop::record_type},
      {"version before epoch", 23, 0x0303, 2, 0, 0, Drop::record_version},
      {"epoch before length", 23, dtls_1_2, 2, 0, 0, Drop::record_epoch},
  }));
  INFO(c.what);
  auto bytes =
      datagram_of({static_cast<ContentType>(c.type), c.version, c.epoch, 7, c.length}, c.present);
  const Split split = split_first(bytes);
  CHECK(split.fault == c.fault);
  CHECK(split.record.size() == (c.fault ? 0 : header_bytes + c.length));
}

TEST_CASE("a datagram shorter than a header is truncated") {
  auto bytes = datagram_of({}, 0);
  for (std::size_t length = 0; length < header_bytes; ++length) {
    CHECK(split_first(Bytes(bytes).first(length)).fault == Drop::record_truncated);
  }
}

TEST_CASE("random bytes are refused, or split within the datagram") {
  Random random(0x5eed);
  const auto below = [&](std::uint64_t end) {
    return static_cast<std::uint16_t>(random.below(end));
  };
  std::size_t accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    // On the heap with its exact size, so that a sanitizer detects every read beyond it.
    auto bytes = random.bytes(below(64));
    // Mostly valid: random bytes alone would not pass the first check.
    if (bytes.size() >= header_bytes && round % 8 != 0) {
      bytes[0] = static_cast<std::uint8_t>(19 + below(6));
      store_be16(bytes.data() + 1, below(4) != 0 ? dtls_1_2 : dtls_1_0);
      store_be16(bytes.data() + 3, below(3));
      store_be16(bytes.data() + 11, below(64));
    }
    const Split split = split_first(bytes);
    if (split.fault) {
      REQUIRE(split.record.empty());
      continue;
    }
    ++accepted;
    REQUIRE(split.record.data() == bytes.data());
    REQUIRE(split.record.size() == header_bytes + split.header.length);
    REQUIRE(split.record.size() <= bytes.size());
    std::array<std::uint8_t, header_bytes> again{};
    encode(split.header, again.data());
    REQUIRE(std::equal(again.begin(), again.end(), bytes.begin()));
  }
  CHECK(accepted > 1000);
}
