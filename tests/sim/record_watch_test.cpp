// Shows that RecordWatch detects violations: day_test.cpp depends on it.
#include "sim/record_watch.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

constexpr std::uint64_t older = 1'000'000;  // first explicit nonces of two keys
constexpr std::uint64_t newer = 2'000'000;

class Violations {
 public:
  // Passes one record to the watch. Returns the number of violations so far.
  std::size_t operator()(record::ContentType type, std::uint64_t key, std::uint64_t sequence) {
    std::vector<std::uint8_t> record(record::header_bytes + 8 + 16 + 1);
    const auto length = static_cast<std::uint16_t>(record.size() - record::header_bytes);
    record::encode({type, record::dtls_1_2, 1, sequence, length}, record.data());
    store_be64(record.data() + record::header_bytes, key + sequence);
    watch_.check(record, violations_);
    return violations_.size();
  }

 private:
  RecordWatch watch_;
  std::vector<std::string> violations_;
};

constexpr auto user_data = record::ContentType::application_data;
constexpr auto handshake = record::ContentType::handshake;

}  // namespace

TEST_CASE("growing sequence numbers, gaps and a change of key are no violations") {
  Violations violations;
  CHECK(violations(handshake, older, 0) == 0);
  CHECK(violations(user_data, older, 1025) == 0);
  CHECK(violations(handshake, older, 1) == 0);  // a retransmitted last flight
  CHECK(violations(user_data, older, 1026) == 0);
  CHECK(violations(handshake, newer, 0) == 0);
  CHECK(violations(user_data, older, 1030) == 0);
  CHECK(violations(user_data, newer, 1025) == 0);
  CHECK(violations(record::ContentType::alert, newer, 1026) == 0);
}

TEST_CASE("a nonce that is used twice is a violation") {
  Violations violations;
  CHECK(violations(handshake, older, 0) == 0);
  CHECK(violations(handshake, older, 0) == 1);
  CHECK(violations(user_data, older, 0) == 2);
  CHECK(violations(user_data, older, 5) == 2);
  CHECK(violations(user_data, older, 5) == 3);
  CHECK(violations(user_data, older, 4) == 4);
  CHECK(violations(handshake, older, 5) == 5);
}

TEST_CASE("data sealed with a replaced key is a violation") {
  Violations violations;
  CHECK(violations(user_data, older, 5) == 0);
  CHECK(violations(user_data, newer, 5) == 0);
  CHECK(violations(user_data, older, 6) == 1);
}
