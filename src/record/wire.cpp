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

std::optional<Drop> fault_of(const Header& header, std::size_t available) {
  if (header.type < ContentType::change_cipher_spec ||
      header.type > ContentType::application_data) {
    return Drop::record_type;
  }
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

Header decode(const std::uint8_t* at) {
  return {static_cast<ContentType>(at[type_at]), load_be16(at + version_at),
          load_be16(at + epoch_at), load_be48(at + sequence_at), load_be16(at + length_at)};
}

Split split_first(Bytes datagram) {
  if (datagram.size() < header_bytes) return {Drop::record_truncated};
  const Header header = decode(datagram.data());
  const auto fault = fault_of(header, datagram.size() - header_bytes);
  return {fault, header, fault ? Bytes() : datagram.first(header_bytes + header.length)};
}

}  // namespace routevpn::record
