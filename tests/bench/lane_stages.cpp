// A whole lane: what a received datagram costs from the socket's buffer to the interface's.
#include <array>
#include <string>

#include "routevpn/datapath/lane.hpp"

#include "stage.hpp"
#include "unit/datapath/lane_pair.hpp"
#include "unit/record/support.hpp"

namespace routevpn::bench {
namespace {

constexpr auto lane_suite = record::CipherSuite::aes_128_gcm;

// A lane, and the sealer of its peer.
class Receiver {
 public:
  Receiver(record::CryptoBackend backend, bool plain_peer, datapath::LanePolicy policy)
      : end_(test::west, std::move(policy)), keys_(test::keys(1, lane_suite)) {
    keys_.acceptor.control_messages = !plain_peer;
    end_.command(datapath::InstallAssociation{
        std::make_unique<datapath::Association>(1, keys_.acceptor, backend, test::west,
                                                datapath::RecordLimits{}),
        true});
    sealer_ = std::make_unique<record::Sealer>(backend, lane_suite, keys_.initiator.send, 1025, 0,
                                               record::traits(lane_suite).record_limit);
  }

  // The records of `count` copies of a packet, one after the other.
  test::Datagram seal(const test::Packet& packet, std::size_t count) {
    const std::size_t before = record::headroom(lane_suite);
    record_bytes_ = before + packet.size() + record::tailroom;
    test::Datagram records(count * record_bytes_);
    std::vector<OutboundPacket> packets;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint8_t* const at = records.data() + i * record_bytes_ + before;
      std::copy(packet.begin(), packet.end(), at);
      packets.push_back({at, static_cast<std::uint32_t>(packet.size())});
    }
    sealer_->seal(packets);
    return records;
  }
  std::size_t receive(Bytes datagrams, std::size_t datagram_bytes) {
    end_.lane.from_outside({datagrams, datagram_bytes, test::west, 0}, test::epoch);
    std::size_t packets = 0;
    for (const auto& super : end_.lane.join()) packets += super.packets;
    return packets;
  }
  [[nodiscard]] std::size_t record_bytes() const { return record_bytes_; }
  [[nodiscard]] const test::End& end() const { return end_; }

 private:
  test::End end_;
  test::Keys keys_;
  std::unique_ptr<record::Sealer> sealer_;
  std::size_t record_bytes_ = 0;
};

class Receive : public Stage {
 public:
  Receive(std::size_t payload_bytes, datapath::LanePolicy policy)
      : receiver_(record::best_backend(lane_suite), false, std::move(policy)),
        packet_(test::udp_packet(1, payload_bytes)) {}
  void prepare() override { datagrams_ = receiver_.seal(packet_, batch_packets); }
  std::size_t run() override { return receiver_.receive(datagrams_, receiver_.record_bytes()); }
  bool is_right() override { return test::all_drops(receiver_.end()) == 0; }

 private:
  Receiver receiver_;
  test::Packet packet_;
  test::Datagram datagrams_;
};

// One datagram of the most records that an Ethernet packet holds, from a forger that has seen
// records of a plain peer.
class Forged : public Stage {
 public:
  explicit Forged(record::CryptoBackend backend) : receiver_(backend, true, {}) {
    original_ = receiver_.seal({0}, records);
    for (std::size_t i = 0; i < records; ++i) {
      original_[(i + 1) * receiver_.record_bytes() - 1] ^= 1;
    }
  }
  void prepare() override { datagram_ = original_; }
  std::size_t run() override {
    receiver_.receive(datagram_, datagram_.size());
    return 1;
  }
  bool is_right() override { return receiver_.end().drops(Drop::record_forged) > 0; }
  [[nodiscard]] std::size_t packets() const override { return 1; }

 private:
  static constexpr std::size_t records = 38;
  Receiver receiver_;
  test::Datagram original_;
  test::Datagram datagram_;
};

// Prefixes of 16 sites, of which the last contains the source of test::udp_packet().
datapath::LanePolicy sixteen_sites() {
  std::vector<IpPrefix> prefixes;
  for (std::uint8_t i = 0; i < 16; ++i) {
    const auto second = static_cast<std::uint8_t>(15 - i);
    prefixes.push_back({IpAddress::v4({10, second, 0, 0}), 16});
  }
  return {datapath::OuterClass(), {}, datapath::PrefixSet(prefixes)};
}

}  // namespace

std::vector<StageChoice> lane_stages() {
  std::vector<StageChoice> stages = {
      {"receive", false,
       [](std::size_t bytes) { return std::make_unique<Receive>(bytes, datapath::LanePolicy{}); }},
      {"receive, --accept of 16 prefixes", false,
       [](std::size_t bytes) { return std::make_unique<Receive>(bytes, sixteen_sites()); }}};
  for (const auto backend : {record::CryptoBackend::openssl, record::CryptoBackend::ipsec_mb}) {
    if (backend == record::CryptoBackend::ipsec_mb && !record::ipsec_mb_works()) continue;
    stages.push_back({"datagram of 38 forged records, by " + std::string(name_of(backend)), true,
                      [backend](std::size_t) { return std::make_unique<Forged>(backend); }});
  }
  return stages;
}

}  // namespace routevpn::bench
