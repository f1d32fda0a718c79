// Sends the datagrams of tests/tools/attack.hpp at a given rate, until it is stopped by a signal.
//
//     flood forge FROM:PORT TO:PORT RATE KIND...   forged source address; RATE per second of each
//     KIND flood join PREFIX NETWORKS TO:PORT RATE      handshakes from addresses of this machine,
//     one after
//                                                  the other from each /64 of PREFIX, up to
//                                                  NETWORKS: each returns its cookie and does
//                                                  nothing more
//
// At the end it prints one line of JSON: {"sent": N, "sent_bytes": N, "received": N,
// "received_bytes": N}. What is received counts for `join` only. `forge` is for IPv4, `join` for
// IPv6.

#include <algorithm>
#include <array>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

#include "tools/attack.hpp"
#include "tools/paced.hpp"
#include "tools/units.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

struct Counts {
  std::uint64_t sent = 0, sent_bytes = 0, received = 0, received_bytes = 0;
};

Counts forge(const SocketAddress& from, const SocketAddress& to, double rate,
             const std::vector<std::string>& kinds) {
  const Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!raw) throw system_error("raw socket");
  // Made before, so that sending is all that costs time.
  constexpr std::size_t variants = 256;
  Chance chance(1);
  std::vector<Datagram> packets;
  for (std::size_t i = 0; i < variants * kinds.size(); ++i) {
    packets.push_back(in_ipv4(from, to, make_attack(kinds[i % kinds.size()], chance)));
  }
  sockaddr_storage name{};
  const auto length = to.to_kernel(name, AF_INET);
  Counts counts;
  const auto send = [&](std::uint64_t number) {
    const auto& packet = packets[number % packets.size()];
    const auto sent = sendto(raw.get(), packet.data(), packet.size(), 0,
                             reinterpret_cast<const sockaddr*>(&name), length);
    if (sent < 0) return;
    ++counts.sent;
    counts.sent_bytes += packet.size() - 28;
  };
  paced(rate * static_cast<double>(kinds.size()), send, [] {});
  return counts;
}

// A socket that sends and receives with every address of this machine.
class Strangers {
 public:
  Strangers(const IpPrefix& prefix, std::uint64_t networks, const SocketAddress& to)
      : prefix_(prefix), networks_(networks), to_(to) {
    socket_ = Fd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    const int buffer = 4 << 20;
    if (!socket_ ||
        setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) != 0 ||
        setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on) != 0) {
      throw system_error("UDP socket");
    }
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
      throw system_error("bind");
    }
  }

  // The number is the ClientHello's random, so that the second hello repeats it.
  void hello(std::uint64_t number) {
    in6_addr from{};
    std::memcpy(&from, prefix_.address.bytes().data(), sizeof from);
    const std::uint64_t network = number % networks_;
    for (int i = 0; i < 2; ++i)
      from.s6_addr[6 + i] = static_cast<std::uint8_t>(network >> (8 - 8 * i));
    from.s6_addr[15] = 1;
    send(from, make_client_hello(random_of(network), {}));
  }

  void answer() {
    std::array<std::uint8_t, 2048> buffer{};
    in6_addr own{};
    for (;;) {
      const auto got = receive(buffer, own);
      if (got <= 0) return;
      ++counts.received;
      counts.received_bytes += static_cast<std::uint64_t>(got);
      const auto cookie = cookie_in(ConstBytes(buffer).first(static_cast<std::size_t>(got)));
      const std::uint64_t network = std::uint64_t{own.s6_addr[6]} << 8 | own.s6_addr[7];
      if (!cookie.empty()) send(own, make_client_hello(random_of(network), cookie));
    }
  }

  Counts counts;

 private:
  static Datagram random_of(std::uint64_t network) {
    Datagram random(32);
    store_be64(random.data(), network + 1);
    return random;
  }

  void send(const in6_addr& from, const Datagram& datagram) {
    sockaddr_storage name{};
    iovec part{const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = to_.to_kernel(name, AF_INET6);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = IPV6_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
    const in6_pktinfo source{from, 0};
    std::memcpy(CMSG_DATA(header), &source, sizeof source);
    if (sendmsg(socket_.get(), &message, 0) < 0) return;
    ++counts.sent;
    counts.sent_bytes += datagram.size();
  }

  // `own`: the address that it was sent to.
  ssize_t receive(Bytes into, in6_addr& own) {
    iovec part{into.data(), into.size()};
    alignas(cmsghdr) std::array<char, 128> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto got = recvmsg(socket_.get(), &message, 0);
    if (got <= 0) return got;
    for (auto* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
      if (at->cmsg_level != IPPROTO_IPV6 || at->cmsg_type != IPV6_PKTINFO) continue;
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(at), sizeof info);
      own = info.ipi6_addr;
    }
    return got;
  }

  IpPrefix prefix_;
  std::uint64_t networks_;
  SocketAddress to_;
  Fd socket_;
};

Counts join(const IpPrefix& prefix, std::uint64_t networks, const SocketAddress& to, double rate) {
  Strangers strangers(prefix, networks, to);
  paced(
      rate, [&](std::uint64_t number) { strangers.hello(number); }, [&] { strangers.answer(); });
  return strangers.counts;
}

double rate_of(const std::string& text) {
  return static_cast<double>(parse_count(text, "RATE"));
}

Counts run(const std::vector<std::string>& words) {
  if (words.size() > 5 && words[1] == "forge") {
    return forge(parse_socket_address(words[2], "FROM"), parse_socket_address(words[3], "TO"),
                 rate_of(words[4]), {words.begin() + 5, words.end()});
  }
  if (words.size() == 6 && words[1] == "join") {
    const auto prefix = IpPrefix::parse(words[2]);
    if (!prefix || prefix->address.is_v4() || prefix->length > 48) {
      throw UsageError("PREFIX: '" + words[2] + "' is not an IPv6 prefix of at most 48 bits");
    }
    return join(*prefix, parse_count(words[3], "NETWORKS"), parse_socket_address(words[4], "TO"),
                rate_of(words[5]));
  }
  throw UsageError("usage: flood forge FROM TO RATE KIND... | flood join PREFIX NETWORKS TO RATE");
}

}  // namespace

int main(int argc, char** argv) {
  stop_on_signals();
  try {
    const Counts counts = run({argv, argv + argc});
    std::cout << nlohmann::json{{"sent", counts.sent},
                                {"sent_bytes", counts.sent_bytes},
                                {"received", counts.received},
                                {"received_bytes", counts.received_bytes}}
              << '\n';
    return 0;
  } catch (const UsageError& error) {
    std::cerr << "flood: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "flood: " << error.what() << '\n';
    return 1;
  }
}
