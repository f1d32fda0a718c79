// The records of a datagram are its bytes in order, and each header is encoded as it was received.
#include "routevpn/record/wire.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  Octets datagram(input.rest().begin(), input.rest().end());
  Bytes rest = datagram;
  while (!rest.empty()) {
    const auto split = record::split_first(rest);
    if (split.fault) break;
    require(split.record.data() == rest.data() && split.record.size() <= rest.size() &&
                split.record.size() == record::header_bytes + split.header.length,
            "a record is the beginning of the datagram");
    std::uint8_t encoded[record::header_bytes];
    record::encode(split.header, encoded);
    require(std::ranges::equal(encoded, split.record.first(sizeof encoded)), "encode() inverts");
    rest = rest.subspan(split.record.size());
  }
}
