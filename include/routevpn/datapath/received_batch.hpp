// What was received from one socket and is not handled yet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "routevpn/base/clock.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

struct ReceivedBatch {
  // A batch ends behind either.
  static constexpr std::size_t most_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t most_parts = 64;
  static constexpr std::size_t most_received = 65536;  // by one call, also with UDP_GRO
  static constexpr std::size_t memory_bytes = most_bytes + most_received;

  struct Part {
    outside::Received received;
    Time at;  // its own, because an echo's sender measures it
  };

  [[nodiscard]] bool is_full() const { return count == most_parts || bytes >= most_bytes; }
  // For the next part, with room for most_received, while the batch is not full.
  [[nodiscard]] std::uint8_t* free_memory() { return memory.get() + bytes; }
  // The next part is there.
  void add() {
    bytes += parts[count].received.data.size();
    ++count;
  }
  void clear() { count = bytes = 0; }

  // Not zeroed, so pages that no datagram reaches stay without memory.
  std::unique_ptr<std::uint8_t[]> memory =
      std::make_unique_for_overwrite<std::uint8_t[]>(memory_bytes);
  std::array<Part, most_parts> parts;
  std::size_t count = 0;
  std::size_t bytes = 0;
};

}  // namespace routevpn::datapath
