// The watch itself: a day without violations proves nothing unless it would have seen them.
#include "sim/record_watch.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

constexpr std::uint64_t older = 1'000'000;  // where the explicit nonces of two keys begin
constexpr std::uint64_t newer = 2'000'000;

class Seen {
 public:
  // How many violations there were after it.
  std::size_t operator()(record::ContentType type, std::uint64_t key, std::uint64_t sequence) {
    std::vector<std::uint8_t> record(record::header_bytes + 8 + 16 + 1);
    const auto length = static_cast<std::uint16_t>(record.size() - record::header_bytes);
    record::encode({type, record::dtls_1_2, 1, sequence, length}, record.data());
    store_be64(record.data() + record::header_bytes, key + sequence);
    watch_.see(record, violations_);
    return violations_.size();
  }

 private:
  RecordWatch watch_;
  std::vector<std::string> violations_;
};

constexpr auto user_data = record::ContentType::application_data;
constexpr auto handshake = record::ContentType::handshake;

}  // namespace

TEST_CASE("numbers that grow under each key are well, gaps and a change of key too") {
  Seen seen;
  CHECK(seen(handshake, older, 0) == 0);
  CHECK(seen(user_data, older, 1025) == 0);
  CHECK(seen(handshake, older, 1) == 0);  // a repeated last flight
  CHECK(seen(user_data, older, 1026) == 0);
  CHECK(seen(handshake, newer, 0) == 0);
  CHECK(seen(user_data, older, 1030) == 0);
  CHECK(seen(user_data, newer, 1025) == 0);
  CHECK(seen(record::ContentType::alert, newer, 1026) == 0);
}

TEST_CASE("a nonce that comes again is seen") {
  Seen seen;
  CHECK(seen(handshake, older, 0) == 0);
  CHECK(seen(handshake, older, 0) == 1);
  CHECK(seen(user_data, older, 0) == 2);
  CHECK(seen(user_data, older, 5) == 2);
  CHECK(seen(user_data, older, 5) == 3);
  CHECK(seen(user_data, older, 4) == 4);
  CHECK(seen(handshake, older, 5) == 5);
}

TEST_CASE("data under a key that was given up is seen") {
  Seen seen;
  CHECK(seen(user_data, older, 5) == 0);
  CHECK(seen(user_data, newer, 5) == 0);
  CHECK(seen(user_data, older, 6) == 1);
}
