// Fragmentation: a packet that is too large for one record on this path is sent in several records,
// and the peer's lane reassembles it. Needs ALPN routevpn/1. The payload of each record:
//
//      0      1      2        4        6        8
//     +------+------+--------+--------+--------+-------
//     | kind | 0    | packet | offset | length | bytes
//     +------+------+--------+--------+--------+-------
//
// `packet` numbers the fragmented packets, modulo 2^16. `length` is the length of the whole packet.
//
// RFC 8200 section 5 requires fragmentation below IPv6 on a link of less than 1280 bytes. It also
// carries packets in flight when the path MTU falls. Firewalls do not see IP fragments.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/inside/traffic_class.hpp"

namespace routevpn::datapath {

inline constexpr std::uint8_t fragment_kind = 4;  // not among those of ControlMessage
inline constexpr std::size_t fragment_header_bytes = 8;

class Fragmenter {
 public:
  // Fragments the packets of `batch` from index `from` on that have more than `limit` bytes (256 or
  // more). Fragments have at most `limit` bytes; the order of packets stays. Packets that the batch
  // has no room for are left out; the result is their number.
  std::size_t split(inside::OutboundBatch& batch, std::size_t from, std::size_t limit);

  // Turns counts of datagrams and payload bytes into counts of packets and their bytes: subtracts
  // the surplus that fragmentation made. A surplus above the counts stays for the next call.
  void subtract_surplus(std::uint64_t& packets, std::uint64_t& bytes);
  [[nodiscard]] std::uint64_t packets_fragmented() const { return packets_fragmented_; }
  [[nodiscard]] std::uint16_t next_number() const { return number_; }
  // Continues the numbers of another fragmenter.
  void resume(std::uint16_t next_number, std::uint64_t packets_fragmented) {
    number_ = next_number;
    packets_fragmented_ = packets_fragmented;
  }

 private:
  bool append_fragments(ConstBytes packet, std::size_t limit, inside::OutboundBatch& batch);

  inside::OutboundBatch whole_{inside::worst_case_bytes, inside::worst_case_segments};
  std::uint16_t number_ = 0;
  std::uint64_t packets_fragmented_ = 0;
  std::uint64_t surplus_packets_ = 0;
  std::uint64_t surplus_bytes_ = 0;
};

class Reassembler {
 public:
  // The packets returned since the last call may be overwritten from now on.
  void release() { reassembled_bytes_ = 0; }
  struct Result {
    std::optional<Drop> fault;
    Bytes packet;  // empty unless this fragment completed it; valid until release()
    // Congested if any of the fragments is (RFC 3168 section 5.3).
    inside::Ecn outer_ecn = inside::Ecn::not_ect;
  };
  // `payload` begins with fragment_kind. Faults: payload_malformed is about this fragment, and if
  // it overlaps an earlier one, its packet is discarded, too (as in RFC 5722); payload_incomplete
  // is about a packet that was discarded, mostly the oldest incomplete one.
  Result add(AssociationId association, ConstBytes payload, inside::Ecn outer_ecn);

 private:
  // The fragments of a packet are sent one after the other. More than one packet is incomplete only
  // if the path loses or reorders fragments.
  static constexpr std::size_t max_incomplete = 16;
  // Lane::receive_bytes (256 KiB) between two calls of release(), and 64 KiB for packets whose
  // other fragments arrived before.
  static constexpr std::size_t max_reassembled_bytes = 5UL * 65536;

  // The bytes of a packet that have arrived, as ranges that neither touch nor overlap, in order.
  // Fragments that arrive in order make one range, each that was overtaken one more.
  class Covered {
   public:
    enum class Result : std::uint8_t { added, overlaps, full };
    Result add(std::uint16_t first, std::uint16_t end);
    // Whether one range begins at 0 and ends there.
    [[nodiscard]] bool is_whole(std::uint16_t length) const {
      return count_ == 1 && ranges_[0].first == 0 && ranges_[0].end == length;
    }

   private:
    struct Range {
      std::uint16_t first;
      std::uint16_t end;
    };
    std::array<Range, 16> ranges_;
    std::size_t count_ = 0;
  };

  struct Incomplete {
    AssociationId association = 0;  // 0: none
    std::uint16_t packet = 0;
    std::uint16_t length = 0;
    inside::Ecn outer_ecn = inside::Ecn::not_ect;
    Covered received{};
    std::uint64_t age = 0;  // the larger the newer; 0: none
  };
  std::size_t find_or_start(AssociationId association, std::uint16_t packet, std::uint16_t length,
                            Result& result);

  std::array<Incomplete, max_incomplete> incomplete_{};
  // maximum_mtu bytes for each incomplete packet. Not zeroed, so pages that no fragment reaches
  // stay without memory.
  std::unique_ptr<std::uint8_t[]> memory_ =
      std::make_unique_for_overwrite<std::uint8_t[]>(max_incomplete * maximum_mtu);
  std::unique_ptr<std::uint8_t[]> reassembled_ =
      std::make_unique_for_overwrite<std::uint8_t[]>(max_reassembled_bytes);
  std::size_t reassembled_bytes_ = 0;
  std::uint64_t age_ = 0;
};

}  // namespace routevpn::datapath
