// A packet in pieces: what is larger than one record may be on this path goes in several, each a
// payload of its own, and is joined again before anything else sees it. Only with ALPN routevpn/1.
//
//      0      1      2        4        6        8
//     +------+------+--------+--------+--------+-------
//     | kind | 0    | packet | offset | length | bytes
//     +------+------+--------+--------+--------+-------
//
// `packet` counts the packets that went in pieces, modulo 2^16; `length` is the whole packet's.
//
// It is the fragmentation below IPv6 that RFC 8200 section 5 asks of a link with less than 1280
// bytes; it carries a packet over the moment in which the path's MTU has fallen and its sender does
// not know yet; and unlike fragments of IP its pieces pass every firewall that the link passes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/inside/traffic_class.hpp"

namespace routevpn::datapath {

inline constexpr std::uint8_t fragment_kind = 4;  // beside those of ControlMessage
inline constexpr std::size_t fragment_header_bytes = 8;

class Fragmenter {
 public:
  Fragmenter();
  // Replaces the packets appended to `batch` since there were `from` of them by themselves where
  // they have at most `limit` bytes, by pieces of at most that where they have more. What the batch
  // has no room for is left out: their number is given. `limit` is at least 256.
  std::size_t split(inside::OutboundBatch& batch, std::size_t from, std::size_t limit);

  // Takes from these counts of datagrams and their payload bytes by how much pieces made them more
  // than the packets were. What is more than the counts is taken from the next.
  void settle(std::uint64_t& packets, std::uint64_t& bytes);
  [[nodiscard]] std::uint64_t packets_fragmented() const { return packets_fragmented_; }

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
  Reassembler();
  // The packets given out since the last call may be overwritten from now on.
  void release() { joined_bytes_ = 0; }
  struct Result {
    std::optional<Drop> fault;
    Bytes packet;  // empty unless this piece was the last one missing; good until release()
    // Of all its pieces: one that met congestion speaks for them (RFC 3168 section 5.3).
    inside::Ecn outer_ecn = inside::Ecn::not_ect;
  };
  // `payload` begins with fragment_kind. A fault is payload_malformed for this piece, or
  // payload_incomplete for an older packet, given up in favour of this one.
  Result join(AssociationId association, ConstBytes payload, inside::Ecn outer_ecn);

 private:
  // Pieces come one behind the other; so many packets may be under way at once when the path
  // changes their order.
  static constexpr std::size_t max_open = 16;

  struct Open {
    AssociationId association = 0;  // 0: none
    std::uint16_t packet = 0;
    std::uint16_t length = 0;
    inside::Ecn outer_ecn = inside::Ecn::not_ect;
    std::size_t received = 0;
    std::uint64_t age = 0;
  };
  std::size_t find_or_begin(AssociationId association, std::uint16_t packet, std::uint16_t length,
                            Result& result);

  std::array<Open, max_open> open_{};
  std::unique_ptr<std::uint8_t[]> memory_;
  std::unique_ptr<std::uint8_t[]> joined_;
  std::size_t joined_bytes_ = 0;
  std::uint64_t age_ = 0;
};

}  // namespace routevpn::datapath
