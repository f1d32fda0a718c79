// A lane with an association, fed with raw datagrams and with sealed payloads of a hostile peer. It
// delivers only whole IP packets.
#include "routevpn/datapath/lane.hpp"

#include "routevpn/inside/ip_packet.hpp"

#include "target.hpp"
#include "unit/datapath/lane_pair.hpp"

namespace routevpn::fuzz {

namespace {

// Appends the payload as a record. It is an IPv4 packet if `wrap` is set.
void seal(record::Sealer& sealer, Octets payload, bool wrap, record::ContentType type,
          Octets& datagram) {
  if (wrap && payload.size() >= ipv4_header_bytes) {
    payload[0] = 0x45;
    store_be16(&payload[2], static_cast<std::uint16_t>(payload.size()));
  }
  const auto at = datagram.size() + record::headroom(sealer.suite());
  datagram.resize(at + payload.size() + record::tailroom);
  std::ranges::copy(payload, datagram.begin() + static_cast<std::ptrdiff_t>(at));
  const OutboundPacket packet{&datagram[at], static_cast<std::uint32_t>(payload.size())};
  sealer.seal({&packet, 1}, type);
}

}  // namespace

void run_target(Input input) {
  static constexpr record::ContentType types[] = {
      record::ContentType::application_data, record::ContentType::application_data,
      record::ContentType::alert, record::ContentType::handshake};
  const auto keys = test::keys(1, static_cast<record::CipherSuite>(input.byte() % 3));
  test::End end(test::west);
  end.install(1, keys.acceptor, (input.byte() & 1) != 0);
  record::Sealer sealer(record::CryptoBackend::openssl, keys.initiator.suite, keys.initiator.send,
                        1025, 0, ~std::uint64_t{0});
  Octets datagram;
  Time now = test::epoch;
  while (!input.empty()) {
    const std::uint8_t operation = input.byte();
    Octets chunk = input.chunk();
    if (chunk.size() > record::max_plaintext_bytes) return;
    if ((operation & 0x10) != 0) {
      datagram.insert(datagram.end(), chunk.begin(), chunk.end());
    } else {
      seal(sealer, std::move(chunk), (operation & 0x20) != 0, types[operation & 3], datagram);
    }
    if ((operation & 0x40) != 0 || datagram.size() > 32768) continue;  // more records follow
    const auto& from = (operation & 0x80) != 0 ? test::east : test::west;
    now += std::chrono::milliseconds(operation & 0x0c);
    for (const auto& packet : end.receive(std::move(datagram), from, now, operation & 3)) {
      require(inside::ip_packet_verdict(packet) == inside::IpVerdict::valid, "an IP packet");
    }
    datagram.clear();
    end.control();
    end.events<std::monostate>();
    while (end.mailbox.handshakes.front() != nullptr) end.mailbox.handshakes.release();
  }
}

}  // namespace routevpn::fuzz
