// The stages segment, coalesce and the checksum that both need.
#include <algorithm>
#include <cstring>
#include <string>

#include "routevpn/inside/checksum.hpp"
#include "routevpn/inside/coalesce.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/record/cipher.hpp"

#include "stage.hpp"
#include "unit/inside/packets.hpp"
#include "unit/inside/streams.hpp"

namespace routevpn::bench {
namespace {

using packets::Octets;

constexpr std::size_t mtu = 1500;
constexpr std::size_t ip4_bytes = 20;
constexpr auto suite = record::CipherSuite::aes_128_gcm;

std::size_t header_bytes(std::uint8_t protocol) {
  return ip4_bytes + (protocol == packets::udp ? 8 : 20);
}

packets::Spec flow(std::uint8_t protocol, std::size_t payload_bytes) {
  packets::Spec spec = packets::a_spec(false, protocol, payload_bytes);
  spec.payload = packets::ascending(payload_bytes);
  return spec;
}

class Segment : public Stage {
 public:
  Segment(std::uint8_t protocol, std::size_t payload_bytes)
      : header_bytes_(header_bytes(protocol)),
        payload_bytes_(payload_bytes),
        super_(packets::build_super(flow(protocol, payload_bytes * batch_packets),
                                    static_cast<std::uint16_t>(payload_bytes))),
        original_(super_.packet),
        batch_(inside::worst_case_bytes, inside::worst_case_segments) {}

  // segment() changes only the headers of its input.
  void prepare() override {
    std::copy_n(original_.begin(), header_bytes_, super_.packet.begin());
    batch_.clear(record::headroom(suite), record::tailroom);
  }
  std::size_t run() override {
    const auto fault = inside::segment(super_.header, super_.packet, mtu, batch_);
    return fault ? 0 : batch_.packets().size();
  }
  bool is_right() override {
    const std::uint8_t* expected = original_.data() + header_bytes_;
    for (const auto& packet : batch_.packets()) {
      if (packet.length != header_bytes_ + payload_bytes_) return false;
      if (!packets::is_sound(Octets(packet.data, packet.data + packet.length), ip4_bytes)) {
        return false;
      }
      if (std::memcmp(packet.data + header_bytes_, expected, payload_bytes_) != 0) return false;
      expected += payload_bytes_;
    }
    return true;
  }

 private:
  std::size_t header_bytes_;
  std::size_t payload_bytes_;
  packets::Super super_;
  Octets original_;
  inside::OutboundBatch batch_;
};

// The packets of one flow, at the distance that their records have in a datagram.
class Coalesce : public Stage {
 public:
  Coalesce(std::uint8_t protocol, std::size_t payload_bytes)
      : payload_at_(header_bytes(protocol)), coalescer_(batch_packets, true) {
    const std::size_t around = record::headroom(suite) + record::tailroom;
    const auto originals =
        packets::build_all(packets::stream(flow(protocol, payload_bytes), batch_packets));
    for (const Octets& packet : originals) {
      original_.insert(original_.end(), packet.begin(), packet.end());
      original_.resize(original_.size() + around);
      payload_.insert(payload_.end(), packet.begin() + static_cast<std::ptrdiff_t>(payload_at_),
                      packet.end());
    }
    arena_ = original_;
    std::uint8_t* at = arena_.data();
    for (const Octets& packet : originals) {
      packets_.emplace_back(at, packet.size());
      at += packet.size() + around;
    }
  }

  void prepare() override { arena_ = original_; }
  std::size_t run() override {
    supers_ = coalescer_.join(packets_);
    return supers_.size() == 1 ? supers_.front().packets : 0;
  }
  bool is_right() override {
    Octets joined;
    for (const iovec& part : supers_.front().iovecs.subspan(1)) {
      const auto* const data = static_cast<const std::uint8_t*>(part.iov_base);
      joined.insert(joined.end(), data, data + part.iov_len);
    }
    return joined.size() == payload_at_ + payload_.size() &&
           std::equal(payload_.begin(), payload_.end(),
                      joined.begin() + static_cast<std::ptrdiff_t>(payload_at_));
  }

 private:
  std::size_t payload_at_;
  Octets original_;
  Octets arena_;
  Octets payload_;
  std::vector<Bytes> packets_;
  inside::Coalescer coalescer_;
  std::span<const inside::SuperPacket> supers_;
};

// One batch of small payloads takes too little time to measure, so run() repeats it.
class Checksum : public Stage {
 public:
  explicit Checksum(std::size_t payload_bytes) : size_(payload_bytes) {
    bytes_ = packets::ascending(payload_bytes * batch_packets);
  }

  void prepare() override { sums_.clear(); }
  std::size_t run() override {
    for (std::size_t turn = 0; turn < turns; ++turn) {
      for (std::size_t i = 0; i < batch_packets; ++i) {
        sums_.push_back(inside::checksum_add({bytes_.data() + i * size_, size_}));
      }
    }
    return sums_.size();
  }
  bool is_right() override {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const std::size_t at = i % batch_packets * size_;
      if (sums_[i] != packets::naive_sum({bytes_.data() + at, size_})) return false;
    }
    return true;
  }
  std::size_t packets() const override { return turns * batch_packets; }

 private:
  static constexpr std::size_t turns = 16;
  std::size_t size_;
  Octets bytes_;
  std::vector<std::uint16_t> sums_;
};

}  // namespace

std::vector<StageChoice> segment_stages() {
  return {{"segment, TCP", false,
           [](std::size_t bytes) { return std::make_unique<Segment>(packets::tcp, bytes); }},
          {"segment, UDP", false,
           [](std::size_t bytes) { return std::make_unique<Segment>(packets::udp, bytes); }},
          {std::string("checksum, ") + inside::checksum_kernels().front().name, false,
           [](std::size_t bytes) { return std::make_unique<Checksum>(bytes); }}};
}

std::vector<StageChoice> coalesce_stages() {
  return {{"coalesce, TCP", false,
           [](std::size_t bytes) { return std::make_unique<Coalesce>(packets::tcp, bytes); }},
          {"coalesce, UDP", false,
           [](std::size_t bytes) { return std::make_unique<Coalesce>(packets::udp, bytes); }}};
}

}  // namespace routevpn::bench
