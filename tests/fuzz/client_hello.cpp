// The cookie exchange, fed with raw datagrams and with changed copies of the two ClientHellos of an
// initiator. Only the unchanged second ClientHello starts a handshake with certainty.
#include "routevpn/dtls/listener.hpp"

#include "sim/identities.hpp"
#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  static dtls::Listener listener(test::identities().acceptor);
  const Time now{std::chrono::hours(1)};
  const SocketAddress from{*IpAddress::parse("192.0.2.1"), 7754};
  const auto receive = [&](ConstBytes datagram) {
    const auto random = dtls::client_hello_random(datagram);
    require(!random || random->size() == SSL3_RANDOM_SIZE, "a random has 32 bytes");
    auto answer = listener.receive(datagram, from, now);
    std::size_t bytes = 0;
    for (const auto& one : answer.output) bytes += one.size();
    require(answer.handshake != nullptr || bytes <= datagram.size(), "no amplification");
    return answer;
  };
  auto initiator = dtls::Handshake::initiate(test::identities().initiator, now);
  Octets hello = initiator->take_output().at(0);
  while (!input.empty()) {
    const unsigned operation = input.byte() % 4;
    const Octets chunk = input.chunk();
    Octets datagram = operation == 0 ? chunk : hello;
    if (operation == 1 && !chunk.empty()) datagram[input.number() % datagram.size()] = chunk[0];
    if (operation == 2) datagram.resize(datagram.size() - std::min(datagram.size(), chunk.size()));
    if (operation < 3) {
      receive(datagram);
      continue;
    }
    for (const auto& one : receive(hello).output) initiator->receive(one, now);
    if (auto flight = initiator->take_output(); !flight.empty()) hello = std::move(flight[0]);
  }
}
