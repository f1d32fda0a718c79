#include "hostile_pair.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostile_messages.hpp"

namespace routevpn::test {

using namespace routevpn::channel;

namespace {

constexpr int answer_time_ms = 10'000;

// 0: another kind, or one without an answer at once.
std::size_t size_if_answered(std::uint8_t kind) {
  switch (static_cast<Kind>(kind)) {
    case Kind::set_carrier:
      return 1 + sizeof(SetCarrier);
    case Kind::set_mtu:
      return 1 + sizeof(SetMtu);
    case Kind::sign:
      return 1 + sizeof(Sign);
    default:
      return 0;
  }
}

std::size_t size_of_kind(std::uint8_t kind) {
  std::size_t size = 1;  // ready, and kinds that no worker may send
  for_each_valid([&](const auto& message) {
    if (static_cast<std::uint8_t>(message.kind) == kind) size = bytes_of(message).size();
  });
  return size;
}

// With its right size the monitor may accept it, or at least has to read its fields.
bool may_be_accepted(ConstBytes bytes) {
  return bytes[0] > static_cast<std::uint8_t>(Kind::ready) &&
         bytes[0] <= static_cast<std::uint8_t>(Kind::ended) &&
         bytes.size() == size_of_kind(bytes[0]);
}

// Makes a message that would end the link, or change its carrier or MTU, into a refused one.
void spare_the_link(std::span<std::uint8_t> message) {
  if (!may_be_accepted(message)) return;
  const auto kind = static_cast<Kind>(message[0]);
  if ((kind == Kind::ended || kind == Kind::set_carrier) && message[1] <= 1) message[1] = 2;
  if (kind == Kind::set_mtu) message[1] = message[4] = 0xff;  // above 65535
}

}  // namespace

void HostilePair::wait(short events) const {
  pollfd waiting{fd_, events, 0};
  poll(&waiting, 1, answer_time_ms);
}

void HostilePair::take_waiting() {
  std::array<std::uint8_t, Message::max_bytes> message{};
  for (;;) {
    const auto got = recv(fd_, message.data(), message.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
    if (got <= 0) return;
    switch (static_cast<Kind>(message[0])) {
      case Kind::ping:
        if (::send(fd_, "\x0a", 1, 0) != 1) closed_ = true;  // alive
        break;
      case Kind::carrier_set:
      case Kind::mtu_set:
      case Kind::signed_digest:
        if (answers_owed_ > 0) --answers_owed_;
        break;
      default:
        break;
    }
  }
}

// The answers must not fill the pair: the monitor would replace the worker.
void HostilePair::send(ConstBytes bytes, std::span<const int> descriptors) {
  while (!closed_) {
    const auto result = channel::send_datagram(fd_, bytes, false, descriptors);
    if (result == channel::SendResult::ok) return;
    closed_ = result == channel::SendResult::closed;
    if (closed_) return;
    wait(POLLIN | POLLOUT);
    take_waiting();
  }
}

template <typename T>
void HostilePair::send_message(const T& message, std::span<const int> descriptors) {
  send(bytes_of(message), descriptors);
  ++refused_;
}

void HostilePair::send_before_ready() {
  for_each_valid([this](const auto& message) { send_message(message); });
}

// Each size from 1 to the longest that a kind does not have, in steps beyond 300 bytes.
template <typename T>
void HostilePair::send_sizes(const T& valid) {
  const auto right = bytes_of(valid);
  for (std::size_t size = 1; size <= longest; size += size < 300 ? 1 : 97) {
    if (size == right.size()) continue;
    auto other = right;
    other.resize(size);
    send(other);
    ++refused_;
  }
}

void HostilePair::send_other_kinds() {
  send_message(Ready{});  // once more
  for (unsigned number = 0; number <= 255; ++number) {
    const auto kind = static_cast<Kind>(number);
    if (kind >= Kind::ready && kind <= Kind::ended) continue;
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, sizeof(Start), longest}) {
      send(std::vector<std::uint8_t>(size, static_cast<std::uint8_t>(number)));
      ++refused_;
    }
    take_waiting();
  }
}

void HostilePair::send_with_descriptors() {
  const std::vector<int> one = {STDERR_FILENO};
  const std::vector<int> many(60, STDERR_FILENO);  // more than the monitor takes
  for_each_valid([&](const auto& message) {
    send_message(message, one);
    send_message(message, many);
  });
}

void HostilePair::send_invalid() {
  send_other_kinds();
  for_each_valid([this](const auto& message) {
    send_sizes(message);
    take_waiting();
  });
  send_with_descriptors();
  for (const auto& [bytes, answered] : with_bad_fields()) {
    send(bytes);
    ++refused_;
    if (answered) ++answers_owed_;
  }
  send(bytes_of(Alive{}));  // it may answer a ping
  ++undecided_;
  send_message(Alive{});
}

void HostilePair::send_random(std::uint64_t seed, std::uint64_t count) {
  std::mt19937_64 random(seed);
  std::array<std::uint8_t, longest + 8> buffer{};
  for (std::uint64_t i = 0; i < count && !closed_; ++i) {
    std::size_t size = random() % (longest + 1);
    for (std::size_t at = 0; at < std::max<std::size_t>(size, 1); at += 8) {
      const std::uint64_t word = random();
      std::memcpy(buffer.data() + at, &word, sizeof word);
    }
    if (random() % 32 == 0) {  // so that fields are read
      buffer[0] = static_cast<std::uint8_t>(1 + buffer[0] % 11);
      size = size_of_kind(buffer[0]);
    }
    const std::span message(buffer.data(), size);
    if (size != 0) spare_the_link(message);
    send(message);
    const bool undecided = size != 0 && may_be_accepted(message);
    ++(undecided ? undecided_ : refused_);
    if (size != 0 && size == size_if_answered(buffer[0])) ++answers_owed_;
    if (i % 8 == 0) take_waiting();
  }
}

bool HostilePair::take_answers() {
  while (!closed_ && answers_owed_ > 0) {
    const auto before = answers_owed_;
    wait(POLLIN);
    take_waiting();
    if (answers_owed_ == before) return false;
  }
  return !closed_;
}

}  // namespace routevpn::test
