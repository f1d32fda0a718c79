// The envelope of a link with a PSK. What the other end sealed opens once; nothing else opens. The
// input is a list of datagrams to seal, of changes to sealed ones, and of forged envelopes.
#include "routevpn/dtls/envelope.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  static constexpr std::array<std::uint8_t, dtls::Psk::bytes> secret{7};
  static const auto key = dtls::Psk::make(secret);
  constexpr std::int64_t now = 1'800'000'000;
  dtls::Envelopes initiator({key}, dtls::Role::initiator, 0);
  dtls::Envelopes acceptor({key}, dtls::Role::acceptor, 0);
  Octets sealed;
  while (!input.empty()) {
    const unsigned operation = input.byte() % 3;
    const Octets chunk = input.chunk();
    const bool is_new = operation == 0 && !chunk.empty() &&
                        chunk.size() + dtls::envelope_overhead <= dtls::Envelopes::largest_datagram;
    if (is_new) sealed = initiator.seal(key, chunk, now);
    Octets envelope = operation == 2 ? chunk : sealed;
    if (operation == 1 && !envelope.empty()) envelope[input.number() % envelope.size()] ^= 1;
    const auto opened = acceptor.open(envelope, now + input.byte() % 4);
    require(opened.fault.has_value() != is_new, "an envelope opens once and unchanged");
    require(!is_new || std::ranges::equal(opened.datagram, chunk), "the datagram is restored");
  }
}
