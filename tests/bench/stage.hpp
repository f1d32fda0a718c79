// The interface of one stage of a packet's path, as `stages` measures it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace routevpn::bench {

// The number of 1400-byte packets in one super-packet. Batches of smaller packets have as many, so
// that the cost per batch is divided by the same number.
inline constexpr std::size_t batch_packets = 44;

class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  // Restores the input of the stage. Not timed.
  virtual void prepare() = 0;
  // Runs the stage on packets() packets and returns how many it processed. Timed.
  virtual std::size_t run() = 0;
  // Whether the output of run() is correct in every byte. Not timed.
  [[nodiscard]] virtual bool is_right() = 0;
  [[nodiscard]] virtual std::size_t packets() const { return batch_packets; }
};

struct StageChoice {
  std::string name;
  bool any_payload = false;  // the cost does not depend on the payload length
  std::function<std::unique_ptr<Stage>(std::size_t payload_bytes)> make;
};

// In the order of a packet's path. Only stages that this processor and this build support.
std::vector<StageChoice> segment_stages();
std::vector<StageChoice> record_stages();
std::vector<StageChoice> coalesce_stages();
std::vector<StageChoice> lane_stages();

}  // namespace routevpn::bench
