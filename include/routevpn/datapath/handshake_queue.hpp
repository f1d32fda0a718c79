// The queue of handshake datagrams from the lane to the control thread. A source network has a
// share of the slots, and strangers together leave some to the peer. So a flood of handshakes
// cannot keep out the peer's.
#pragma once

#include <array>
#include <cstdint>

#include "routevpn/datapath/source_table.hpp"
#include "routevpn/datapath/spsc_ring.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

// The handshake records of one datagram.
struct HandshakeDatagram {
  outside::Endpoint from;
  std::uint32_t length = 0;
  std::array<std::uint8_t, 4096> bytes{};  // records beyond it are dropped
};

class HandshakeQueue {
 public:
  static constexpr std::size_t capacity = 64;
  static constexpr std::size_t for_peer = 16;    // strangers leave them free
  static constexpr std::size_t per_source = 16;  // three sources are needed to fill the rest

  // Writer: the slot to fill, or nullptr if the share of its source is full. `is_peer`: from an
  // address of the peer, which may use every slot. publish() hands the slot over.
  HandshakeDatagram* reserve(const outside::Endpoint& from, bool is_peer) {
    for (const std::size_t released = ring_.released(); released_ != released; ++released_) {
      --waiting_[shares_[released_ % capacity]];
    }
    const std::size_t share =
        is_peer ? peer_share : hash_(from.remote.address) >> (64 - share_bits);
    if (!is_peer) {
      const std::size_t strangers = published_ - released_ - waiting_[peer_share];
      if (waiting_[share] >= per_source || strangers >= capacity - for_peer) return nullptr;
    }
    HandshakeDatagram* const slot = ring_.reserve();
    if (slot == nullptr) return nullptr;
    shares_[published_ % capacity] = static_cast<std::uint8_t>(share);
    slot->from = from;
    slot->length = 0;
    return slot;
  }
  void publish() {
    ++waiting_[shares_[published_++ % capacity]];
    ring_.publish();
  }

  // Reader: the oldest datagram, or nullptr. release() returns its slot.
  HandshakeDatagram* front() { return ring_.front(); }
  void release() { ring_.release(); }
  [[nodiscard]] bool empty() const { return ring_.empty(); }

 private:
  static constexpr unsigned share_bits = 5;
  static constexpr std::size_t peer_share = std::size_t{1} << share_bits;

  SpscRing<HandshakeDatagram, capacity> ring_;
  // The writer's. A datagram waits until the writer sees that it was released.
  SourceHash hash_;
  std::array<std::uint8_t, capacity> shares_{};         // of the datagram in each slot
  std::array<std::uint8_t, peer_share + 1> waiting_{};  // datagrams of each share
  std::size_t published_ = 0;
  std::size_t released_ = 0;
};

}  // namespace routevpn::datapath
