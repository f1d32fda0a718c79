#include "routevpn/channel/channel.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::channel;

TEST_CASE("a message arrives whole, of its kind alone") {
  const auto [monitor, worker] = Channel::make();
  REQUIRE(worker.send(SetMtu{1400}) == SendResult::ok);
  REQUIRE(worker.send(Ready{}) == SendResult::ok);
  Message message;
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.kind() == Kind::set_mtu);
  CHECK(message.as<SetMtu>()->bytes == 1400);
  CHECK_FALSE(message.as<SetCarrier>());
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.as<Ready>());
  CHECK(monitor.receive(message) == ReceiveResult::empty);
}

TEST_CASE("a message of another size is none of its kind") {
  const auto [monitor, worker] = Channel::make();
  for (const std::size_t bytes : {1U, 4U, 6U, 2000U, 2048U, 2049U, 5000U}) {
    std::vector<std::uint8_t> raw(bytes, 0);
    raw[0] = static_cast<std::uint8_t>(Kind::set_mtu);
    REQUIRE(::send(worker.fd(), raw.data(), raw.size(), 0) == static_cast<ssize_t>(bytes));
    Message message;
    REQUIRE(monitor.receive(message) == ReceiveResult::ok);
    CHECK_FALSE(message.as<SetMtu>());
  }
}

TEST_CASE("an empty message is of no kind, and does not end the connection") {
  auto [monitor, worker] = Channel::make();
  REQUIRE(::send(worker.fd(), "", 0, 0) == 0);
  REQUIRE(worker.send(Ready{}) == SendResult::ok);
  Message message;
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.kind() == Kind{});
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.as<Ready>());
  Fd(worker.release()).reset();
  CHECK(monitor.receive(message) == ReceiveResult::closed);
}

TEST_CASE("descriptors come with their message, closed on exec, and none is left open") {
  const auto [monitor, worker] = Channel::make();
  const Fd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::vector<int> many(most_descriptors, file.get());
  const int before = dup(file.get());
  close(before);
  for (int i = 0; i < 100; ++i) {
    REQUIRE(monitor.send(Ping{}, false, many) == SendResult::ok);
    Message message;
    REQUIRE(worker.receive(message) == ReceiveResult::ok);
    REQUIRE(message.descriptors().size() == most_descriptors);
    CHECK((fcntl(message.descriptors()[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  const int after = dup(file.get());
  close(after);
  CHECK(after == before);
}

TEST_CASE("a sender learns that the receiver does not read, or is gone") {
  auto [monitor, worker] = Channel::make();
  int sent = 0;
  while (monitor.send(Ping{}) == SendResult::ok && sent < 100'000) ++sent;
  CHECK(sent > 10);
  CHECK(monitor.send(Ping{}) == SendResult::full);
  Fd(worker.release()).reset();
  CHECK(monitor.send(Ping{}) == SendResult::closed);
  CHECK((errno == EPIPE || errno == ECONNRESET));
  Message message;
  CHECK(monitor.receive(message) == ReceiveResult::closed);
  CHECK(errno == 0);
  const Channel none{Fd()};
  CHECK(none.send(Ping{}) == SendResult::closed);
  CHECK(errno == EBADF);
  CHECK(none.receive(message) == ReceiveResult::closed);
  CHECK(errno == EBADF);
}

TEST_CASE("the last messages of an end that had not read all are received, and then its end") {
  auto [monitor, worker] = Channel::make();
  REQUIRE(monitor.send(Ping{}) == SendResult::ok);
  REQUIRE(worker.send(SetMtu{1400}) == SendResult::ok);
  REQUIRE(worker.send(Ready{}) == SendResult::ok);
  Fd(worker.release()).reset();
  Message message;
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.as<SetMtu>());
  REQUIRE(monitor.receive(message) == ReceiveResult::ok);
  CHECK(message.as<Ready>());
  CHECK(monitor.receive(message) == ReceiveResult::closed);
  CHECK(monitor.receive(message) == ReceiveResult::closed);
}

TEST_CASE("addresses and texts keep their values") {
  for (const auto* text : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    SocketAddress address{*IpAddress::parse(text), 7754, 0};
    CHECK(Address::of(address).get() == address);
  }
  CHECK_FALSE(Address{}.get());
  Address wrong{};
  wrong.version = 5;
  CHECK_FALSE(wrong.get());
  CHECK(Text<4>::of("abcdef").view() == "abc");
  CHECK(Text<4>::of("").view().empty());
  CHECK(Text<3>{{'a', 'b', 'c'}}.view() == "abc");
}
