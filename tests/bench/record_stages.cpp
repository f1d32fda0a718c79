// The stages seal and open, and the replay window.
#include <algorithm>
#include <string>

#include "routevpn/record/open.hpp"
#include "routevpn/record/replay.hpp"
#include "routevpn/record/seal.hpp"

#include "stage.hpp"
#include "unit/record/support.hpp"

namespace routevpn::bench {
namespace {

using record::ByteVector;
using record::Choice;

// Sealer and opener of one direction with a batch of packets. New keys replace a pair that has
// reached its record limit.
class Direction {
 public:
  Direction(Choice choice, std::size_t payload_bytes)
      : choice_(choice),
        payload_bytes_(payload_bytes),
        stride_(record::headroom(choice.suite) + payload_bytes + record::tailroom),
        plain_(random_.bytes(stride_ * batch_packets)),
        arena_(plain_) {
    for (std::size_t i = 0; i < batch_packets; ++i) {
      batch_.push_back({arena_.data() + i * stride_ + record::headroom(choice.suite),
                        static_cast<std::uint32_t>(payload_bytes)});
    }
    renew();
  }

  void lay_out_packets() {
    if (sealer_->remaining() < batch_packets) renew();
    arena_ = plain_;
  }
  std::size_t seal() { return sealer_->seal(batch_); }
  // The receiver's steps, beginning with the bytes of the datagrams.
  std::size_t open() {
    std::size_t opened = 0;
    for (std::size_t i = 0; i < batch_packets; ++i) {
      const record::Split split = record::split_first({arena_.data() + i * stride_, stride_});
      if (split.fault) continue;
      const record::Opened result = opener_->open(split.header, split.record);
      if (!result.fault && result.payload.size() == payload_bytes_) ++opened;
    }
    return opened;
  }
  [[nodiscard]] bool is_plain() const {
    return std::all_of(batch_.begin(), batch_.end(), [this](const auto& packet) {
      return std::equal(packet.data, packet.data + packet.length,
                        plain_.data() + (packet.data - arena_.data()));
    });
  }

 private:
  void renew() {
    const record::DirectionKeys keys = random_.keys();
    sealer_ = std::make_unique<record::Sealer>(choice_.backend, choice_.suite, keys, 0, 0,
                                               record::traits(choice_.suite).record_limit);
    opener_ = std::make_unique<record::Opener>(choice_.backend, choice_.suite, keys);
  }

  record::Random random_{1};
  Choice choice_;
  std::size_t payload_bytes_;
  std::size_t stride_;
  ByteVector plain_;
  ByteVector arena_;
  std::vector<OutboundPacket> batch_;
  std::unique_ptr<record::Sealer> sealer_;
  std::unique_ptr<record::Opener> opener_;
};

class Seal : public Stage {
 public:
  Seal(Choice choice, std::size_t payload_bytes) : direction_(choice, payload_bytes) {}
  void prepare() override { direction_.lay_out_packets(); }
  std::size_t run() override { return direction_.seal(); }
  bool is_right() override {
    return !direction_.is_plain() && direction_.open() == batch_packets && direction_.is_plain();
  }

 private:
  Direction direction_;
};

class Open : public Stage {
 public:
  Open(Choice choice, std::size_t payload_bytes) : direction_(choice, payload_bytes) {}
  void prepare() override {
    direction_.lay_out_packets();
    direction_.seal();
  }
  std::size_t run() override { return direction_.open(); }
  bool is_right() override { return direction_.is_plain(); }

 private:
  Direction direction_;
};

class Replay : public Stage {
 public:
  // Shuffles the numbers within groups of `disorder`, which must divide `count`; 0 keeps the order.
  explicit Replay(std::uint64_t disorder) {
    for (std::uint64_t i = 0; i < count; ++i) numbers_.push_back(i);
    if (disorder == 0) return;
    record::Random random(1);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t rest_of_group = disorder - i % disorder;
      std::swap(numbers_[i], numbers_[i + random.below(rest_of_group)]);
    }
  }

  void prepare() override { base_ += count; }
  std::size_t run() override {
    std::size_t fresh = 0;
    for (const std::uint64_t number : numbers_) {
      if (window_.check(base_ + number)) continue;
      window_.update(base_ + number);
      ++fresh;
    }
    return fresh;
  }
  bool is_right() override {
    return std::all_of(numbers_.begin(), numbers_.end(), [this](std::uint64_t number) {
      return window_.check(base_ + number) == Drop::record_replayed;
    });
  }
  std::size_t packets() const override { return count; }

 private:
  static constexpr std::size_t count = 4096;
  std::vector<std::uint64_t> numbers_;
  std::uint64_t base_ = 0;
  record::ReplayWindow window_;
};

std::string describe(const char* stage, const Choice& choice) {
  const char* const cipher =
      choice.suite == record::CipherSuite::aes_128_gcm ? "AES-128-GCM" : "ChaCha20-Poly1305";
  return std::string(stage) + ", " + cipher + " by " + std::string(name_of(choice.backend));
}

}  // namespace

std::vector<StageChoice> record_stages() {
  std::vector<StageChoice> seals;
  std::vector<StageChoice> opens;
  for (const Choice choice : record::all_choices()) {
    if (choice.suite == record::CipherSuite::aes_256_gcm) continue;
    seals.push_back({describe("seal", choice), false, [choice](std::size_t payload_bytes) {
                       return std::make_unique<Seal>(choice, payload_bytes);
                     }});
    opens.push_back({describe("open", choice), false, [choice](std::size_t payload_bytes) {
                       return std::make_unique<Open>(choice, payload_bytes);
                     }});
  }
  auto stages = std::move(seals);
  stages.insert(stages.end(), opens.begin(), opens.end());
  stages.push_back(
      {"replay window, in order", true, [](std::size_t) { return std::make_unique<Replay>(0); }});
  stages.push_back({"replay window, up to 63 late", true,
                    [](std::size_t) { return std::make_unique<Replay>(64); }});
  return stages;
}

}  // namespace routevpn::bench
