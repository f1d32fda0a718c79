// One stage of a packet's way, alone: what `stages` measures.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace routevpn::bench {

// As many packets of 1400 bytes as one super-packet holds. Batches of small packets are as long, so
// that what a batch costs is shared by as many.
inline constexpr std::size_t batch_packets = 44;

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Puts the data into the state in which the stage finds it on the way. Not timed.
  virtual void prepare() = 0;
  // The stage itself, on packets() packets: how many went through. Timed.
  virtual std::size_t run() = 0;
  // Whether run() left what it should, byte for byte. Not timed.
  [[nodiscard]] virtual bool is_right() = 0;
  [[nodiscard]] virtual std::size_t packets() const { return batch_packets; }
};

struct StageChoice {
  std::string name;
  bool any_payload = false;  // the payload's length does not matter to it
  std::function<std::unique_ptr<Stage>(std::size_t payload_bytes)> make;
};

// In the order of a packet's way. Only those that this processor and this build have.
std::vector<StageChoice> segment_stages();
std::vector<StageChoice> record_stages();
std::vector<StageChoice> coalesce_stages();

}  // namespace routevpn::bench
