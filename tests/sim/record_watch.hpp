// Watches the AES-GCM records that one end sends, for what must never be in all of its life: a
// nonce that comes again under its key, or data under a key that was given up for a newer one.
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
  void see(ConstBytes datagram, std::vector<std::string>& violations) {
    std::vector<std::uint8_t> bytes(datagram.begin(), datagram.end());
    Bytes rest(bytes);
    while (!rest.empty()) {
      const auto split = record::split_first(rest);
      if (split.fault) {
        violations.emplace_back("a record that cannot be read was sent");
        return;
      }
      if (split.header.epoch == 1) see_sealed(split, violations);
      rest = rest.subspan(split.record.size());
    }
  }

 private:
  struct Key {
    std::uint64_t number = 0;          // in the order of first use for data
    std::uint64_t first_data = 0;      // where the handshake's own numbers end
    std::uint64_t next_data = 0;       // above all that were used
    std::uint64_t next_handshake = 0;  // likewise
  };

  void see_sealed(const record::Split& split, std::vector<std::string>& violations) {
    const std::uint64_t sequence = split.header.sequence;
    const std::uint64_t nonce = load_be64(split.record.data() + record::header_bytes);
    // It starts at random with each key and direction, and counts with the sequence numbers.
    Key& key = keys_[nonce - sequence];
    // OpenSSL repeats its last flight with new numbers, below ours, or ends in an alert.
    const bool data = split.header.type == record::ContentType::application_data;
    if (split.header.type == record::ContentType::handshake || (!data && key.number == 0)) {
      if (key.number != 0 && sequence >= key.first_data) {
        violations.emplace_back("a handshake record took a number of the data's");
      }
      if (sequence < key.next_handshake) violations.emplace_back("a nonce came twice");
      key.next_handshake = sequence + 1;
      return;
    }
    if (key.number == 0) {
      key.number = ++used_;
      key.first_data = sequence;
      if (sequence < key.next_handshake) violations.emplace_back("a nonce came twice");
    } else if (sequence < key.next_data) {
      violations.emplace_back("a nonce came twice");
    }
    if (key.number != used_) violations.emplace_back("data under a key that was given up");
    key.next_data = sequence + 1;
  }

  std::map<std::uint64_t, Key> keys_;
  std::uint64_t used_ = 0;
};

}  // namespace routevpn::test
