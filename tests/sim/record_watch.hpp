// Checks the AES-GCM records that one end sends. Two violations are reported: a nonce that is used
// twice under one key, and data that is sealed with an old key after a newer key was used.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::test {

class RecordWatch {
 public:
  void check(ConstBytes datagram, std::vector<std::string>& violations) {
    std::vector<std::uint8_t> bytes(datagram.begin(), datagram.end());
    Bytes rest(bytes);
    while (!rest.empty()) {
      const auto split = record::split_first(rest);
      if (split.fault) {
        violations.emplace_back("a malformed record was sent");
        return;
      }
      if (split.header.epoch == 1) check_sealed(split, violations);
      rest = rest.subspan(split.record.size());
    }
  }

 private:
  struct Key {
    std::uint64_t number = 0;          // counts keys by first use for data; 0: no data yet
    std::uint64_t first_data = 0;      // first sequence number of data
    std::uint64_t next_data = 0;       // above every sequence number of data
    std::uint64_t next_handshake = 0;  // above every sequence number of handshake records
  };

  void check_sealed(const record::Split& split, std::vector<std::string>& violations) {
    const std::uint64_t sequence = split.header.sequence;
    const std::uint64_t nonce = load_be64(split.record.data() + record::header_bytes);
    // The explicit nonce starts at random with each key and direction, and counts with the sequence
    // number. So the difference identifies the key.
    Key& key = keys_[nonce - sequence];
    // OpenSSL retransmits its last flight with new sequence numbers, below those of data. A failed
    // handshake ends with an alert.
    const bool data = split.header.type == record::ContentType::application_data;
    if (split.header.type == record::ContentType::handshake || (!data && key.number == 0)) {
      if (key.number != 0 && sequence >= key.first_data) {
        violations.emplace_back("a handshake record has a sequence number of the data range");
      }
      if (sequence < key.next_handshake) violations.emplace_back("a nonce was used twice");
      key.next_handshake = sequence + 1;
      return;
    }
    if (key.number == 0) {
      key.number = ++data_keys_;
      key.first_data = sequence;
      if (sequence < key.next_handshake) violations.emplace_back("a nonce was used twice");
    } else if (sequence < key.next_data) {
      violations.emplace_back("a nonce was used twice");
    }
    if (key.number != data_keys_) violations.emplace_back("data was sealed with a replaced key");
    key.next_data = sequence + 1;
  }

  std::map<std::uint64_t, Key> keys_;
  std::uint64_t data_keys_ = 0;  // keys that have sealed data
};

}  // namespace routevpn::test
