#include "routevpn/record/wire.hpp"

namespace routevpn::record {

namespace {

// Offsets of the fields, RFC 6347 section 4.1.
constexpr std::size_t type_at = 0;
constexpr std::size_t version_at = type_at + 1;
constexpr std::size_t epoch_at = version_at + 2;
constexpr std::size_t sequence_at = epoch_at + 2;
constexpr std::size_t length_at = sequence_at + 6;
static_assert(length_at + 2 == header_bytes);

constexpr std::uint16_t last_epoch = 1;

bool is_content_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(ContentType::change_cipher_spec) &&
         type <= static_cast<std::uint8_t>(ContentType::application_data);
}

std::optional<Drop> fault_of(std::uint8_t type, const Header& header, std::size_t available) {
  if (!is_content_type(type)) return Drop::record_type;
  if (header.version != dtls_1_2 && (header.version != dtls_1_0 || header.epoch != 0)) {
    return Drop::record_version;
  }
  if (header.epoch > last_epoch) return Drop::record_epoch;
  if (header.length == 0 || header.length > max_fragment_bytes) return Drop::record_length;
  if (header.length > available) return Drop::record_truncated;
  return std::nullopt;
}

}  // namespace

void encode(const Header& header, std::uint8_t* at) {
  at[type_at] = static_cast<std::uint8_t>(header.type);
  store_be16(at + version_at, header.version);
  store_be16(at + epoch_at, header.epoch);
  store_be48(at + sequence_at, header.sequence);
  store_be16(at + length_at, header.length);
}

Split split_first(Bytes datagram) {
  if (datagram.size() < header_bytes) return {Drop::record_truncated};
  Split split;
  const std::uint8_t* const at = datagram.data();
  split.header.version = load_be16(at + version_at);
  split.header.epoch = load_be16(at + epoch_at);
  split.header.sequence = load_be48(at + sequence_at);
  split.header.length = load_be16(at + length_at);
  split.fault = fault_of(at[type_at], split.header, datagram.size() - header_bytes);
  if (split.fault) return split;
  split.header.type = static_cast<ContentType>(at[type_at]);
  split.record = datagram.first(header_bytes + split.header.length);
  return split;
}

}  // namespace routevpn::record
