// Segmentation as in the kernel's software GSO: every segment gets a copy of the headers in which
// only lengths, IPv4 id, TCP sequence number, TCP flags and checksums differ. The constant fields
// are summed once, so a segment costs one pass over its payload, which copies and sums it.
#include "routevpn/inside/segment.hpp"

#include <algorithm>
#include <cstring>

#include "routevpn/inside/checksum.hpp"
#include "routevpn/inside/ip_packet.hpp"

#include "packet_fields.hpp"

namespace routevpn::inside {
namespace {

// The value for a checksum field. In UDP 0 means "no checksum", so 0xffff, the other zero of one's
// complement, replaces it (RFC 768).
std::uint16_t complement(std::uint16_t sum, bool is_udp) {
  const auto checksum = static_cast<std::uint16_t>(~sum);
  return checksum == 0 && is_udp ? 0xffff : checksum;
}

std::size_t fixed_header_bytes(ConstBytes packet) {
  return is_ip6(packet.data()) ? ip6::header_bytes : ip4::header_bytes;
}

// Appends one packet. If its checksum is incomplete, the field holds the pseudo-header's sum.
std::optional<Drop> append_single(const VirtioNetHeader& header, ConstBytes packet, std::size_t mtu,
                                  OutboundBatch& batch) {
  if (packet.size() > mtu) return Drop::inside_too_big;
  const bool incomplete = (header.flags & vnet_needs_checksum) != 0;
  const std::size_t start = incomplete ? header.checksum_start : packet.size();
  const std::size_t field = start + header.checksum_offset;
  if (incomplete && (start < fixed_header_bytes(packet) || field + 2 > packet.size())) {
    return Drop::inside_malformed;
  }
  std::uint8_t* const to = batch.append(packet.size());
  if (to == nullptr) return Drop::inside_too_big;
  std::memcpy(to, packet.data(), start);
  if (!incomplete) return std::nullopt;
  const std::uint16_t sum = checksum_copy(to + start, packet.subspan(start));
  store_be16(to + field, complement(sum, header.checksum_offset == udp::checksum_at));
  return std::nullopt;
}

// A super-packet whose lengths all were checked.
struct Super {
  bool is_v6;
  bool is_udp;
  std::size_t l4_at;
  std::size_t header_bytes;   // all headers
  std::size_t segment_bytes;  // payload of each segment but the last
};

std::optional<Super> parse_super(const VirtioNetHeader& header, ConstBytes packet) {
  const std::uint8_t type = header.gso_type & static_cast<std::uint8_t>(~vnet_gso_ecn);
  const bool is_v6 = is_ip6(packet.data());
  const bool is_udp = type == vnet_gso_udp;
  if (!is_udp && type != (is_v6 ? vnet_gso_tcp6 : vnet_gso_tcp4)) return std::nullopt;
  if ((header.flags & vnet_needs_checksum) == 0 || header.gso_bytes == 0) return std::nullopt;

  const std::size_t l4_at = header.checksum_start;
  const std::uint8_t protocol = is_udp ? udp::protocol : tcp::protocol;
  if (is_v6) {
    // Extension headers are not parsed: checksum_start tells where they end.
    if (l4_at < ip6::header_bytes) return std::nullopt;
    if (l4_at == ip6::header_bytes && packet[ip6::next_header_at] != protocol) return std::nullopt;
  } else {
    if (l4_at != std::size_t{4} * (packet[0] & 0x0f)) return std::nullopt;
    if (packet[ip4::protocol_at] != protocol) return std::nullopt;
  }
  if (header.checksum_offset != (is_udp ? udp::checksum_at : tcp::checksum_at)) return std::nullopt;
  // The virtio-net header_bytes is only a hint (virtio 1.2 section 5.1.6), so it is not used.
  if (l4_at > packet.size()) return std::nullopt;
  const std::size_t l4_bytes = l4_header_bytes(packet.subspan(l4_at), is_udp);
  if (l4_bytes == 0) return std::nullopt;
  return Super{is_v6, is_udp, l4_at, l4_at + l4_bytes, header.gso_bytes};
}

// Writes the headers of the segments. They are copies of the super-packet's headers, in which every
// field that differs is zero.
class HeaderPattern {
 public:
  HeaderPattern(const Super& super, Bytes packet)
      : super_(super), headers_(packet.first(super.header_bytes)) {
    l4_sum_ = address_sum(packet);
    std::uint8_t* const l4 = headers_.data() + super_.l4_at;
    if (super_.is_udp) {
      store_be16(l4 + udp::length_at, 0);
      store_be16(l4 + udp::checksum_at, 0);
    } else {
      first_sequence_ = load_be32(l4 + tcp::sequence_at);
      flags_ = l4[tcp::flags_at];
      store_be32(l4 + tcp::sequence_at, 0);
      l4[tcp::flags_at] = 0;
      store_be16(l4 + tcp::checksum_at, 0);
    }
    l4_sum_ = checksum_add(headers_.subspan(super_.l4_at), l4_sum_);
    if (super_.is_v6) return;
    std::uint8_t* const ip = headers_.data();
    first_id_ = load_be16(ip + ip4::id_at);
    store_be16(ip + ip4::total_length_at, 0);
    store_be16(ip + ip4::id_at, 0);
    store_be16(ip + ip4::checksum_at, 0);
    ip_sum_ = checksum_add(headers_.first(super_.l4_at));
  }

  // Writes one segment, headers and payload. `to` has room for both.
  void write(std::uint8_t* to, ConstBytes payload, std::size_t index, bool is_last) const {
    std::memcpy(to, headers_.data(), headers_.size());
    const auto l4_length =
        static_cast<std::uint16_t>(headers_.size() - super_.l4_at + payload.size());
    write_ip(to, l4_length, index);
    std::uint8_t* const l4 = to + super_.l4_at;
    // l4_length is part of the pseudo-header; write_udp() adds it again for the UDP header.
    const std::uint32_t changed =
        super_.is_udp ? write_udp(l4, l4_length) : write_tcp(l4, index, is_last);
    const std::uint16_t sum =
        checksum_copy(to + headers_.size(), payload, l4_sum_ + l4_length + changed);
    store_be16(l4 + (super_.is_udp ? udp::checksum_at : tcp::checksum_at),
               complement(sum, super_.is_udp));
  }

 private:
  // The pseudo-header's sum without the length. Without options and extension headers it is taken
  // over the addresses of the IP header. Options and extension headers can hold a source route:
  // then only the kernel's sum in the checksum field includes the final destination. That sum also
  // includes the super-packet's length, which is subtracted.
  [[nodiscard]] std::uint32_t address_sum(ConstBytes packet) const {
    if (super_.l4_at == fixed_header_bytes(packet)) {
      return pseudo_header_sum(addresses_of(packet.data()),
                               super_.is_udp ? udp::protocol : tcp::protocol, 0);
    }
    const std::size_t field = super_.l4_at + (super_.is_udp ? udp::checksum_at : tcp::checksum_at);
    const auto whole = static_cast<std::uint16_t>(packet.size() - super_.l4_at);
    return std::uint32_t{load_be16(packet.data() + field)} + static_cast<std::uint16_t>(~whole);
  }

  void write_ip(std::uint8_t* ip, std::uint16_t l4_length, std::size_t index) const {
    if (super_.is_v6) {
      store_be16(ip + ip6::payload_length_at,
                 static_cast<std::uint16_t>(super_.l4_at - ip6::header_bytes + l4_length));
      return;
    }
    const auto total = static_cast<std::uint16_t>(super_.l4_at + l4_length);
    const auto id = static_cast<std::uint16_t>(first_id_ + index);
    store_be16(ip + ip4::total_length_at, total);
    store_be16(ip + ip4::id_at, id);
    store_be16(ip + ip4::checksum_at, complement(checksum_fold(0, ip_sum_ + total + id), false));
  }

  // write_udp() and write_tcp() return the sum of the fields they wrote.
  static std::uint32_t write_udp(std::uint8_t* l4, std::uint16_t length) {
    store_be16(l4 + udp::length_at, length);
    return length;
  }
  std::uint32_t write_tcp(std::uint8_t* l4, std::size_t index, bool is_last) const {
    const auto sequence =
        static_cast<std::uint32_t>(first_sequence_ + index * super_.segment_bytes);
    unsigned flags = flags_;
    if (index != 0) flags &= ~unsigned{tcp::cwr};
    if (!is_last) flags &= ~unsigned{tcp::fin | tcp::psh};
    store_be32(l4 + tcp::sequence_at, sequence);
    l4[tcp::flags_at] = static_cast<std::uint8_t>(flags);
    return (sequence >> 16) + (sequence & 0xffff) + flags;
  }

  Super super_;
  Bytes headers_;
  std::uint32_t l4_sum_ = 0;
  std::uint32_t ip_sum_ = 0;
  std::uint32_t first_sequence_ = 0;
  std::uint16_t first_id_ = 0;
  std::uint8_t flags_ = 0;
};

std::optional<Drop> split(const Super& super, Bytes packet, OutboundBatch& batch) {
  const std::size_t packets_before = batch.packets().size();
  const HeaderPattern headers(super, packet);
  ConstBytes payload = packet.subspan(super.header_bytes);
  std::size_t index = 0;
  do {
    const ConstBytes part = payload.first(std::min(super.segment_bytes, payload.size()));
    payload = payload.subspan(part.size());
    std::uint8_t* const to = batch.append(super.header_bytes + part.size());
    if (to == nullptr) {
      batch.truncate(packets_before);
      return Drop::inside_too_big;
    }
    headers.write(to, part, index++, payload.empty());
  } while (!payload.empty());
  return std::nullopt;
}

}  // namespace

std::optional<Drop> segment(const VirtioNetHeader& header, Bytes packet, std::size_t mtu,
                            OutboundBatch& batch) {
  const IpVerdict verdict = ip_packet_verdict(packet);
  if (verdict == IpVerdict::not_ip) return Drop::inside_not_ip;
  if (verdict == IpVerdict::malformed) return Drop::inside_malformed;
  if (header.gso_type == vnet_gso_none) return append_single(header, packet, mtu, batch);
  const std::optional<Super> super = parse_super(header, packet);
  if (!super) return Drop::inside_malformed;
  const std::size_t payload_bytes = packet.size() - super->header_bytes;
  if (super->header_bytes + std::min(super->segment_bytes, payload_bytes) > mtu) {
    return Drop::inside_too_big;
  }
  return split(*super, packet, batch);
}

}  // namespace routevpn::inside
