// Splits a datagram into its records without checking them.
#pragma once

#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::dtls {

struct RecordView {
  record::Header header;
  ConstBytes whole;     // header and fragment
  ConstBytes fragment;  // header.length bytes
};

// Removes the first record from `datagram`; none: the rest is empty or shorter than a record.
inline std::optional<RecordView> take_record(ConstBytes& datagram) {
  if (datagram.size() < record::header_bytes) return std::nullopt;
  const record::Header header = record::decode(datagram.data());
  const std::size_t size = record::header_bytes + header.length;
  if (datagram.size() < size) return std::nullopt;
  const ConstBytes whole = datagram.first(size);
  datagram = datagram.subspan(size);
  return RecordView{header, whole, whole.subspan(record::header_bytes)};
}

}  // namespace routevpn::dtls
