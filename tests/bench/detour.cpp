// Delays packets: each packet that the kernel routes into the interface returns from it after a
// fixed time, in the same order.
//
//     detour IFNAME MICROSECONDS
//
// The interface exists as long as the program runs. If a share of the traffic is routed through it,
// the rest overtakes this share.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

using namespace routevpn;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_packet_bytes = 65536;

struct Held {
  Clock::time_point due;
  std::vector<std::uint8_t> packet;
};

Fd open_interface(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ)
    throw UsageError("detour: IFNAME has 1 to 15 characters");
  Fd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!tun) throw system_error("detour: /dev/net/tun");
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) throw system_error("detour: " + name);
  return tun;
}

void read_all(const Fd& tun, Clock::duration delay, std::deque<Held>& held) {
  std::vector<std::uint8_t> buffer(max_packet_bytes);
  for (;;) {
    const ssize_t length = read(tun.get(), buffer.data(), buffer.size());
    if (length <= 0) return;
    held.push_back({Clock::now() + delay, {buffer.begin(), buffer.begin() + length}});
  }
}

void write_due(const Fd& tun, std::deque<Held>& held) {
  for (; !held.empty() && held.front().due <= Clock::now(); held.pop_front()) {
    const auto& packet = held.front().packet;
    // EIO: the interface is down and drops the packet, as any interface would.
    if (write(tun.get(), packet.data(), packet.size()) < 0 && errno != EIO) {
      throw system_error("detour: write");
    }
  }
}

// Real-time priority keeps the delay constant while all processors are busy.
void raise_priority() {
  sched_param priority{};
  priority.sched_priority = 1;
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
    throw system_error("detour: real-time priority");
  }
}

[[noreturn]] void run(const Fd& tun, Clock::duration delay) {
  std::deque<Held> held;
  for (;;) {
    timespec wait{.tv_sec = 3600, .tv_nsec = 0};
    if (!held.empty()) {
      const auto left = std::max<Clock::duration>(held.front().due - Clock::now(), {});
      wait = {.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(left).count()};
    }
    pollfd readable{.fd = tun.get(), .events = POLLIN, .revents = 0};
    ppoll(&readable, 1, &wait, nullptr);
    read_all(tun, delay, held);
    write_due(tun, held);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    int delay_us = 0;
    const std::string_view text = argc == 3 ? argv[2] : "";
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), delay_us);
    if (error != std::errc{} || end != text.data() + text.size() || delay_us < 1 ||
        delay_us > 999999) {
      throw UsageError("usage: detour IFNAME MICROSECONDS (1 to 999999)");
    }
    raise_priority();
    run(open_interface(argv[1]), std::chrono::microseconds(delay_us));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
