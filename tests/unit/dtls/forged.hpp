// Records that an attacker, or a test of the filter, makes by hand.
#pragma once

#include <optional>
#include <vector>

#include "routevpn/record/wire.hpp"

#include "pair.hpp"

namespace routevpn::test {

using Fragment = std::vector<std::uint8_t>;

inline Datagram forged_record(record::ContentType type, std::uint64_t number,
                              const Fragment& fragment, std::uint16_t epoch = 0) {
  Datagram datagram(record::header_bytes);
  record::encode(
      {type, record::dtls_1_2, epoch, number, static_cast<std::uint16_t>(fragment.size())},
      datagram.data());
  datagram.insert(datagram.end(), fragment.begin(), fragment.end());
  return datagram;
}

inline Datagram forged_alert(std::uint64_t number, std::uint8_t description = 48,
                             std::uint8_t level = 2) {
  return forged_record(record::ContentType::alert, number, {level, description});
}

// A whole message, or its beginning if `length` announces more.
inline Fragment message_bytes(std::uint8_t type, std::uint8_t sequence, const Fragment& body,
                              std::optional<std::uint16_t> length = {}, std::uint8_t offset = 0) {
  const auto part = static_cast<std::uint16_t>(body.size());
  Fragment fragment(12);
  fragment[0] = type;
  store_be16(&fragment[2], length.value_or(part));
  fragment[5] = sequence;
  fragment[8] = offset;
  store_be16(&fragment[10], part);
  fragment.insert(fragment.end(), body.begin(), body.end());
  return fragment;
}

inline Datagram forged_message(std::uint8_t type, std::uint8_t sequence, std::uint64_t number,
                               const Fragment& body, std::optional<std::uint16_t> length = {}) {
  return forged_record(record::ContentType::handshake, number,
                       message_bytes(type, sequence, body, length));
}

}  // namespace routevpn::test
