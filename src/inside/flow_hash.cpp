#include "routevpn/inside/flow_hash.hpp"

#include <cstring>

#include "flow_hash_constants.hpp"
#include "packet_fields.hpp"

namespace routevpn::inside {

namespace {

class Hash {
 public:
  void add(ConstBytes bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
      std::uint32_t word = 0;
      std::memcpy(&word, bytes.data() + at, sizeof word);
      add(word);
    }
  }
  void add(std::uint32_t word) { hash_ = (hash_ ^ word) * flow_hash_multiplier; }
  [[nodiscard]] std::uint32_t value() const { return static_cast<std::uint32_t>(hash_ >> 32); }

 private:
  std::uint64_t hash_ = flow_hash_seed;
};

}  // namespace

// steering_program.cpp has the same steps for the kernel.
std::optional<std::uint32_t> flow_hash(ConstBytes packet) {
  if (packet.size() < ip4::header_bytes) return std::nullopt;
  const bool v6 = is_ip6(packet.data());
  if (v6 ? packet.size() < ip6::header_bytes : packet[0] >> 4 != 4) return std::nullopt;
  const std::uint8_t protocol = packet[v6 ? ip6::next_header_at : ip4::protocol_at];
  if (v6 && protocol == fragment_header) return std::nullopt;
  if (!v6 && (load_be16(&packet[ip4::fragment_at]) & fragment_bits) != 0) return std::nullopt;
  Hash hash;
  hash.add(protocol);
  hash.add(addresses_of(packet.data()));
  const std::size_t l4_at = v6 ? ip6::header_bytes : std::size_t{4} * (packet[0] & 0x0f);
  const bool has_ports = protocol == tcp::protocol || protocol == udp::protocol;
  if (has_ports && packet.size() >= l4_at + port_bytes) {
    hash.add(packet.subspan(l4_at, port_bytes));
  }
  return hash.value();
}

}  // namespace routevpn::inside
