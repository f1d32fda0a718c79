// A monitor of another version ends a kept link by the prefix of its state alone.

#include <csignal>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "catch.hpp"
#include "socket_message.hpp"
#include "stored.hpp"

using namespace routevpn;
using namespace routevpn::monitor;
using namespace routevpn::test;

namespace {

// The bytes of a version that this test need not know behind a prefix.
std::vector<std::uint8_t> of_another_version(KeptPrefix prefix) {
  prefix.version = channel::version + 1;
  auto bytes = written(prefix);
  bytes.insert(bytes.end(), 50, 0xff);
  return bytes;
}

// On the loopback interface.
class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    const int on = 1;
    REQUIRE(setsockopt(fd_.get(), IPPROTO_IP, IP_RECVTOS, &on, sizeof on) == 0);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] SocketAddress address() const {
    sockaddr_in bound{};
    socklen_t length = sizeof bound;
    REQUIRE(getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length) == 0);
    return {IpAddress::v4({127, 0, 0, 1}), ntohs(bound.sin_port)};
  }
  struct Datagram {
    std::vector<std::uint8_t> bytes;
    int traffic_class;
    bool operator==(const Datagram&) const = default;
  };
  [[nodiscard]] std::vector<Datagram> received() const {
    std::vector<Datagram> all;
    while (auto message = take_message(fd())) {
      all.push_back({std::move(message->bytes), message->control.at(0)});
    }
    return all;
  }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("the layout of the prefix is the same in every version") {
  KeptPrefix prefix;
  prefix.version = 0x01020304;
  prefix.worker_pid = 0x11121314;
  prefix.worker_uid = 0x21222324;
  prefix.guardian_pid = 0x31323334;
  prefix.socket_is_v4 = true;
  prefix.traffic_class = 0xb8;
  const auto v6 = IpAddress::parse("2001:db8::1");
  REQUIRE(v6);
  prefix.gasps = {{{0xaa, 0xbb}, {{IpAddress::v4({192, 0, 2, 1}), 0x1e4a}, v6}}, {}};
  // clang-format off
  const std::vector<std::uint8_t> wanted = {
      'r', 'v', 'p', 'n',  1, 2, 3, 4,
      0x11, 0x12, 0x13, 0x14,  0x21, 0x22, 0x23, 0x24,  0x31, 0x32, 0x33, 0x34,
      1,  0xb8,  0, 0, 0, 2,
      0, 0, 0, 2,  0xaa, 0xbb,
      1,  192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0x1e, 0x4a,  0, 0, 0, 0,
      1,  0,  0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
      0, 0, 0, 0,
      1,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0,  0, 0, 0, 0,
      0};
  // clang-format on
  CHECK(written(prefix) == wanted);
}

TEST_CASE("a state of another version, a cut one and a longer one are misfits") {
  const auto misfit_is = [](ConstBytes content, const std::string& wanted) {
    const Fd file = memory(content);
    return with_descriptors({file.get()}, "state", [&] {
      const auto link = KeptLink::take(getuid());
      const auto here = host::Netns::current();
      return link && link->misfit({}, here, here) == wanted &&
             link->state().prefix.gasps == example().prefix.gasps;
    });
  };
  CHECK(misfit_is(of_another_version(example().prefix), "it is of another version of routevpn"));
  auto bytes = written(example());
  for (std::size_t size = written(example().prefix).size(); size < bytes.size(); size += 7) {
    CHECK(misfit_is(ConstBytes(bytes).first(size), "its state is not complete"));
  }
  bytes.push_back(0);
  CHECK(misfit_is(bytes, "its state is not complete"));
}

TEST_CASE("a link that is not taken over ends with its worker, and its peer gets the gasps") {
  const bool discards = GENERATE(true, false);  // or is destroyed
  const pid_t worker = fork();
  if (worker == 0) {
    for (;;) pause();
  }
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, worker, 0)));
  const Socket peer;
  const Socket lanes[2];
  KeptPrefix prefix;
  prefix.worker_pid = worker;
  prefix.worker_uid = getuid();
  prefix.socket_is_v4 = true;
  prefix.traffic_class = 46 << 2;
  prefix.gasps = {{}, {{1, 2, 3}, {peer.address(), std::nullopt}}};
  const Fd file = memory(of_another_version(prefix));
  CHECK(with_descriptors({file.get(), process.get(), lanes[0].fd(), lanes[1].fd()},
                         "state:worker:udp0:udp1", [&] {
                           auto link = KeptLink::take(getuid());
                           if (link && discards) link->discard();
                           return link.has_value();
                         }));
  pollfd ended{process.get(), POLLIN, 0};
  CHECK(poll(&ended, 1, 20'000) == 1);
  kill(worker, SIGKILL);
  waitpid(worker, nullptr, 0);
  CHECK(peer.received() == std::vector<Socket::Datagram>(Gasps::times, {{1, 2, 3}, 46 << 2}));
}
