// An opener with a live key opens what the sealer sealed, once, and nothing else. The input is a
// list of payloads to seal, of changes to the sealed records, and of forged records.
#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"

#include "target.hpp"

namespace routevpn::fuzz {

namespace {

Octets seal(record::Sealer& sealer, const Octets& payload) {
  const auto headroom = record::headroom(sealer.suite());
  Octets sealed(headroom + payload.size() + record::tailroom);
  std::ranges::copy(payload, sealed.begin() + static_cast<std::ptrdiff_t>(headroom));
  const OutboundPacket packet{&sealed[headroom], static_cast<std::uint32_t>(payload.size())};
  require(sealer.seal({&packet, 1}) == 1, "the sealer seals");
  return sealed;
}

}  // namespace

void run_target(Input input) {
  record::DirectionKeys keys;
  keys.key.fill(7);
  const std::uint8_t kind = input.byte();
  const auto suite = static_cast<record::CipherSuite>(kind % 3);
  const auto backend = record::CryptoBackend::openssl;
  record::Sealer sealer(backend, suite, keys, input.number(), input.byte(), ~std::uint64_t{0});
  record::Opener opener(backend, suite, keys, (kind & 0x80) != 0);
  Octets genuine;
  while (!input.empty()) {
    const auto operation = input.byte() % 3;
    const Octets chunk = input.chunk();
    const bool is_new = operation == 0 && chunk.size() <= record::max_plaintext_bytes;
    if (is_new) genuine = seal(sealer, chunk);
    Octets datagram = operation == 2 ? chunk : genuine;
    if (operation == 1 && !datagram.empty()) datagram[input.number() % datagram.size()] ^= 1;
    const auto split = record::split_first(datagram);
    if (split.fault || split.header.epoch != 1) continue;
    const auto opened = opener.open(split.header, split.record);
    require(opened.fault.has_value() != is_new, "a record opens once and unchanged");
    require(!is_new || std::ranges::equal(opened.payload, chunk), "the payload is restored");
  }
}

}  // namespace routevpn::fuzz
