// The state that a worker hands to its successor. The monitor makes the memory (memfd) and maps it
// in no process but the old worker, which writes:
//
//     | "rvpn" | version, 4 | bytes, 4 | SHA-256 of the content, 32 | content |
//
// The successor reads a copy. The content has traffic keys. Link::hand_over() writes its fields:
// those of the link, then those of LaneControl::write_state() for each lane.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::link {

inline constexpr std::size_t state_header_bytes = 4 + 4 + 4 + 32;

// Completes `memory`, whose content is `bytes` long, behind room for the header.
void write_state_header(Bytes memory, std::size_t bytes);
// The content; none: another version, or altered.
std::optional<ConstBytes> state_content(ConstBytes memory);

// The worker's mapping of the memory that its start brings. Call of() before the cage, which allows
// no mapping of files.
class StateMemory {
 public:
  static StateMemory of(const Fd& memfd);  // throws SystemError
  StateMemory(StateMemory&& other) noexcept;
  StateMemory& operator=(StateMemory&&) = delete;
  ~StateMemory() { unmap(); }

  // state_header_bytes, then room for the content.
  [[nodiscard]] Bytes bytes() const { return bytes_; }
  void unmap();  // before the monitor seals it

 private:
  explicit StateMemory(Bytes bytes) : bytes_(bytes) {}
  Bytes bytes_;
};

// A copy of a sealed state. The destructor wipes it.
class StateCopy {
 public:
  explicit StateCopy(const Fd& memfd);  // throws SystemError
  StateCopy(const StateCopy&) = delete;
  StateCopy& operator=(const StateCopy&) = delete;
  ~StateCopy() { wipe(); }
  [[nodiscard]] ConstBytes bytes() const { return bytes_; }

 private:
  void wipe();

  std::vector<std::uint8_t> bytes_;
};

}  // namespace routevpn::link
