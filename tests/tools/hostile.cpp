// A peer with a valid certificate that abuses its association, as initiator.
//
//     hostile PEER RATE KIND CERT KEY CA PEER-NAME
//
// It sends RATE records per second until SIGTERM. KIND is one of
//
//     idle         an echo request every 100 ms, RATE is not used
//     echo         echo requests
//     reply        echo replies without a request, with random stamps
//     rekey        requests for a rekey
//     sparse       padded requests for the sparse flow
//     sparsereply  replies to no such request
//     unknown      control messages of no kind
//     incomplete   first fragments of packets that never complete
//     overlap      fragments that overlap
//     huge         fragments of packets of the largest length
//     alert        warning alerts
//     empty        records without payload
//     handshakes   RATE handshakes per second that complete and carry nothing, beside the link's
//
// At the end it prints one line of JSON: {"sent": N, "received_packets": N, "handshakes": N}.

#include <array>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/datapath/control_message.hpp"
#include "routevpn/datapath/fragments.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"

#include "tools/paced.hpp"
#include "tools/units.hpp"

using namespace routevpn;
using namespace routevpn::test;
using datapath::ControlMessage;

namespace {

using Payload = std::vector<std::uint8_t>;
using Chance = std::mt19937_64;

Payload control(ControlMessage::Kind kind, Chance& chance) {
  Payload payload(datapath::control_message_bytes);
  const auto sequence = static_cast<std::uint32_t>(chance() >> 33);
  datapath::encode({kind, sequence, chance(), static_cast<std::uint32_t>(chance())},
                   payload.data());
  return payload;
}

Payload fragment(std::uint16_t packet, std::size_t offset, std::size_t bytes, std::size_t length) {
  Payload payload(datapath::fragment_header_bytes + bytes, 0x45);
  payload[0] = datapath::fragment_kind;
  payload[1] = 0;
  store_be16(payload.data() + 2, packet);
  store_be16(payload.data() + 4, static_cast<std::uint16_t>(offset));
  store_be16(payload.data() + 6, static_cast<std::uint16_t>(length));
  return payload;
}

using Make = std::function<Payload(std::uint64_t number, Chance& chance)>;
const std::map<std::string, Make> payloads = {
    {"echo",
     [](auto, auto& chance) { return control(ControlMessage::Kind::echo_request, chance); }},
    {"reply", [](auto, auto& chance) { return control(ControlMessage::Kind::echo_reply, chance); }},
    {"rekey",
     [](auto, auto& chance) { return control(ControlMessage::Kind::rekey_request, chance); }},
    {"sparse",
     [](auto, auto& chance) {
       auto payload = control(ControlMessage::Kind::sparse_request, chance);
       payload.resize(1300);
       return payload;
     }},
    {"sparsereply",
     [](auto, auto& chance) { return control(ControlMessage::Kind::sparse_reply, chance); }},
    {"unknown",
     [](auto number, auto& chance) {
       auto payload = control(ControlMessage::Kind::echo_request, chance);
       constexpr auto last_kind = static_cast<unsigned>(ControlMessage::Kind::sparse_reply);
       payload[0] = static_cast<std::uint8_t>(last_kind + 1 + number % 8);
       return payload;
     }},
    {"incomplete",
     [](auto number, auto&) {
       return fragment(static_cast<std::uint16_t>(number), 0, 1000, 1400);
     }},
    {"overlap",
     [](auto number, auto&) {
       return fragment(static_cast<std::uint16_t>(number / 4), 100 * (number % 4), 1000, 1400);
     }},
    {"huge",
     [](auto number, auto&) {
       const auto packet = static_cast<std::uint16_t>(number / 12);
       return fragment(packet, 1300 * (number % 12), 1300, 16384);
     }},
    {"alert",
     [](auto, auto&) {
       return Payload{1, 90};  // warning, user_canceled
     }},
    {"empty", [](auto, auto&) { return Payload(); }},
};

class Peer {
 public:
  Peer(const SocketAddress& address, std::shared_ptr<const dtls::Identity> identity)
      : identity_(std::move(identity)),
        socket_(::socket(address.address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const int buffer_bytes = 8 << 20;
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
    sockaddr_storage name{};
    const auto length = address.to_kernel(name, address.address.family());
    if (!socket_ || connect(socket_.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) {
      throw system_error("UDP socket");
    }
  }

  // Completes a handshake. Only the first association is used.
  void handshake() {
    const auto handshake = dtls::Handshake::initiate(identity_, read_clock());
    while (handshake->progress() == dtls::Progress::waiting && stopped == 0) {
      send_flight(*handshake);
      pollfd readable{socket_.get(), POLLIN, 0};
      if (poll(&readable, 1, 10) > 0) {
        auto datagram = receive();
        if (!is_data(datagram)) handshake->receive(datagram, read_clock());
        count(datagram);
      }
      handshake->on_timer(read_clock());
    }
    send_flight(*handshake);
    if (handshake->progress() == dtls::Progress::failed) {
      throw SystemError("handshake: " + handshake->failure().text);
    }
    if (handshake->progress() != dtls::Progress::completed) return;
    ++handshakes;
    if (sealer_) return;
    const auto& keys = handshake->established();
    sealer_.emplace(record::CryptoBackend::openssl, keys.suite, keys.send, keys.first_send_sequence,
                    keys.explicit_nonce_base, ~std::uint64_t{0});
    opener_.emplace(record::CryptoBackend::openssl, keys.suite, keys.receive);
  }

  void send(const Payload& payload, record::ContentType type) {
    const std::size_t headroom = record::headroom(sealer_->suite());
    Payload record(headroom + payload.size() + record::tailroom);
    std::copy(payload.begin(), payload.end(),
              record.begin() + static_cast<std::ptrdiff_t>(headroom));
    const OutboundPacket packet{record.data() + headroom,
                                static_cast<std::uint32_t>(payload.size())};
    if (sealer_->seal(std::span(&packet, 1), type) != 1) throw SystemError("no record is left");
    if (::send(socket_.get(), record.data(), record.size(), 0) > 0) ++sent;
  }

  // Counts the inside packets that have arrived.
  void read() {
    for (auto datagram = receive(); !datagram.empty(); datagram = receive()) count(datagram);
  }

  std::uint64_t sent = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t handshakes = 0;

 private:
  static bool is_data(ConstBytes datagram) {
    return !datagram.empty() &&
           datagram[0] == static_cast<std::uint8_t>(record::ContentType::application_data);
  }
  void count(Bytes datagram) {
    const auto split = record::split_first(datagram);
    if (split.fault || split.header.epoch != 1 || !opener_) return;
    const auto opened = opener_->open(split.header, split.record);
    const bool packet =
        !opened.fault && !opened.payload.empty() && !datapath::is_control(opened.payload[0]);
    if (packet) ++received_packets;
  }
  Payload receive() {
    Payload datagram(65536);
    const auto got = recv(socket_.get(), datagram.data(), datagram.size(), 0);
    datagram.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return datagram;
  }
  void send_flight(dtls::Handshake& handshake) {
    for (const auto& datagram : handshake.take_output()) {
      ::send(socket_.get(), datagram.data(), datagram.size(), 0);
    }
  }

  std::shared_ptr<const dtls::Identity> identity_;
  Fd socket_;
  std::optional<record::Sealer> sealer_;
  std::optional<record::Opener> opener_;
};

void abuse(Peer& peer, const std::string& kind, double rate) {
  Chance chance(1);
  const auto echo = [&](std::uint64_t) {
    peer.send(control(ControlMessage::Kind::echo_request, chance),
              record::ContentType::application_data);
  };
  peer.handshake();
  echo(0);
  const auto read = [&] { peer.read(); };
  if (kind == "idle") return paced(10, echo, read);
  if (kind == "handshakes") {
    return paced(
        rate, [&](std::uint64_t) { peer.handshake(); }, read);
  }
  const auto& make = payloads.at(kind);
  const auto type =
      kind == "alert" ? record::ContentType::alert : record::ContentType::application_data;
  paced(
      rate, [&](std::uint64_t number) { peer.send(make(number, chance), type); }, read);
}

}  // namespace

int main(int argc, char** argv) {
  stop_on_signals();
  const std::vector<std::string> words(argv, argv + argc);
  try {
    const bool known = words.size() == 8 && (words[3] == "idle" || words[3] == "handshakes" ||
                                             payloads.contains(words[3]));
    if (!known) throw UsageError("usage: hostile PEER RATE KIND CERT KEY CA PEER-NAME");
    const auto identity = dtls::Identity::load({words[4], words[5], words[6], ""}, {words[7], ""});
    Peer peer(parse_socket_address(words[1], "PEER"), identity);
    abuse(peer, words[3], static_cast<double>(parse_count(words[2], "RATE")));
    std::cout << nlohmann::json{{"sent", peer.sent},
                                {"received_packets", peer.received_packets},
                                {"handshakes", peer.handshakes}}
              << '\n';
    return 0;
  } catch (const UsageError& error) {
    std::cerr << "hostile: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "hostile: " << error.what() << '\n';
    return 1;
  }
}
