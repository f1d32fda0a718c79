// Measures UDP packet rates with a paced source and a counting sink.
//
//     udp_rate sink ADDRESS PORT                         {"received": N}
//     udp_rate source ADDRESS PORT BYTES RATE SECONDS    {"sent": N, "seconds": S}
//
// BYTES is the UDP payload length. RATE is in packets per second; 0 means unlimited. The sink
// prints "ready" when it listens. It ends when a packet with the source's end mark arrives, or
// after 3 s without any packet. It counts only packets that have the length of the first one.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

using namespace routevpn;

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t batch = 64;  // packets per system call, at most
constexpr std::size_t max_bytes = 2048;
constexpr std::uint8_t mark_data = 0xda;
constexpr std::uint8_t mark_end = 0xed;
constexpr std::chrono::microseconds nap(50);  // a busy-waiting source would starve the tunnel

template <typename T>
T number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    throw UsageError("udp_rate: '" + std::string(text) + "' is not a number in the valid range");
  }
  return value;
}

sockaddr_in endpoint(const std::string& address, std::string_view port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(number<std::uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &at.sin_addr) != 1) {
    throw UsageError("udp_rate: '" + address + "' is not an IPv4 address");
  }
  return at;
}

Fd udp_socket() {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw system_error("udp_rate: socket");
  // A large buffer, so that the sink's socket does not drop what the tunnel has delivered.
  const int buffer_bytes = 8 << 20;
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  const timeval timeout{.tv_sec = 3, .tv_usec = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  return socket;
}

// The buffers and message headers of one batch.
class Batch {
 public:
  explicit Batch(std::size_t bytes) {
    for (std::size_t i = 0; i < batch; ++i) {
      vectors_[i] = {packets_[i].data(), bytes};
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  mmsghdr* messages() { return messages_.data(); }
  void mark(std::uint8_t value) {
    for (auto& packet : packets_) packet.fill(value);
  }
  [[nodiscard]] std::uint8_t mark_of(std::size_t index) const { return packets_[index].front(); }
  [[nodiscard]] std::size_t length_of(std::size_t index) const { return messages_[index].msg_len; }

 private:
  std::array<std::array<std::uint8_t, max_bytes>, batch> packets_{};
  std::array<iovec, batch> vectors_{};
  std::array<mmsghdr, batch> messages_{};
};

void run_sink(const std::string& address, std::string_view port) {
  const Fd socket = udp_socket();
  const sockaddr_in at = endpoint(address, port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    throw system_error("udp_rate: bind to " + address);
  }
  std::puts("ready");
  std::fflush(stdout);

  Batch packets(max_bytes);
  std::uint64_t received = 0;
  std::size_t length = 0;
  for (bool ended = false; !ended;) {
    const int count = recvmmsg(socket.get(), packets.messages(), batch, MSG_WAITFORONE, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) throw system_error("udp_rate: recvmmsg");
    for (std::size_t i = 0; i < static_cast<std::size_t>(count) && !ended; ++i) {
      ended = packets.mark_of(i) == mark_end;
      if (length == 0) length = packets.length_of(i);
      if (!ended && packets.length_of(i) == length) ++received;
    }
  }
  std::printf("{\"received\": %llu}\n", static_cast<unsigned long long>(received));
}

// Returns the number of packets sent. A full queue and a pending ECONNREFUSED count as sent,
// because these packets appear as lost in the sink's count.
std::size_t send_some(const Fd& socket, Batch& packets, std::size_t wanted) {
  const int count =
      sendmmsg(socket.get(), packets.messages(), static_cast<unsigned>(wanted), MSG_NOSIGNAL);
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == ENOBUFS || errno == EAGAIN || errno == ECONNREFUSED) return wanted;
  if (errno == EINTR) return 0;
  throw system_error("udp_rate: sendmmsg");
}

std::uint64_t send_for(const Fd& socket, Batch& packets, double rate, Seconds span) {
  std::uint64_t sent = 0;
  const auto start = Clock::now();
  for (;;) {
    const Seconds elapsed = Clock::now() - start;
    if (elapsed >= span) return sent;
    std::size_t wanted = batch;
    if (rate > 0) {
      const double due = rate * elapsed.count() - static_cast<double>(sent);
      wanted = static_cast<std::size_t>(std::clamp(due, 0.0, static_cast<double>(batch)));
      // Too few packets for a system call: wait until those of one nap are due.
      if (wanted < batch && static_cast<double>(wanted) < rate * Seconds(nap).count()) {
        std::this_thread::sleep_for(nap);
        continue;
      }
      if (wanted == 0) continue;
    }
    sent += send_some(socket, packets, wanted);
  }
}

void run_source(const std::vector<std::string>& words) {
  const Fd socket = udp_socket();
  const sockaddr_in to = endpoint(words[2], words[3]);
  const auto bytes = number<std::size_t>(words[4]);
  if (bytes < 1 || bytes > max_bytes) {
    throw UsageError("udp_rate: 1 to " + std::to_string(max_bytes) + " bytes are allowed");
  }
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    throw system_error("udp_rate: connect to " + words[2]);
  }
  Batch packets(bytes);
  packets.mark(mark_data);
  const auto start = Clock::now();
  const std::uint64_t sent =
      send_for(socket, packets, number<double>(words[5]), Seconds(number<double>(words[6])));
  const Seconds took = Clock::now() - start;

  // The first pause lets queued packets arrive. The mark is repeated because it may be lost.
  packets.mark(mark_end);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(i == 0 ? 60 : 15));
    send_some(socket, packets, 1);
  }
  std::printf("{\"sent\": %llu, \"seconds\": %.6f}\n", static_cast<unsigned long long>(sent),
              took.count());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv, argv + argc);
    if (words.size() == 4 && words[1] == "sink") {
      run_sink(words[2], words[3]);
    } else if (words.size() == 7 && words[1] == "source") {
      run_source(words);
    } else {
      throw UsageError(
          "usage: udp_rate sink ADDRESS PORT | source ADDRESS PORT BYTES RATE SECONDS");
    }
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
