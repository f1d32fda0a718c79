// Network namespaces without a name, which end with the thread in them. They need root.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/outside/udp.hpp"

#include "catch.hpp"

namespace routevpn::outside::testing {

inline void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

// Moves the calling thread into a new namespace, with loopback up, until the destructor.
class PrivateNetwork {
 public:
  PrivateNetwork() : before_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (unshare(CLONE_NEWNET) != 0) throw system_error("a network namespace (needs root)");
    run("ip link set lo up");
  }
  ~PrivateNetwork() {
    if (setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  PrivateNetwork(const PrivateNetwork&) = delete;
  PrivateNetwork& operator=(const PrivateNetwork&) = delete;

 private:
  Fd before_;
};

// PREFIX is an address with its length. The kernel enables an IPv6 address after a short time.
inline void add_address(const std::string& prefix, const std::string& device) {
  const std::string address = prefix.substr(0, prefix.find('/'));
  const bool v4 = IpAddress::parse(address).value().is_v4();
  run("ip address add " + prefix + " dev " + device + (v4 ? "" : " nodad"));
  run("timeout 10 sh -c 'until ip route get " + address + " | grep -q ^local; do :; done'");
}

// A seccomp filter or a mount namespace of the thread ends with it.
template <typename Work>
void on_a_thread(Work work) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

inline bool wait_for(int fd, short events) {
  constexpr int deadline_ms = 10'000;
  pollfd poller{fd, events, 0};
  return poll(&poller, 1, deadline_ms) == 1 && (poller.revents & events) != 0;
}

inline IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

inline UdpSocket open_at(const char* address) {
  return UdpSocket::open({ip(address), 0, 0});
}

inline Endpoint to(const char* address, const UdpSocket& socket) {
  return {{ip(address), socket.local().port}, {}};
}

// Datagrams that differ from each other, of bytes that differ.
inline std::vector<std::uint8_t> pattern(std::size_t bytes) {
  std::vector<std::uint8_t> result(bytes);
  for (std::size_t i = 0; i < bytes; ++i) result[i] = static_cast<std::uint8_t>(i ^ i >> 8);
  return result;
}

struct Receipt {
  Received last;
  std::vector<std::uint8_t> bytes;            // of all datagrams, in their order
  std::vector<std::size_t> datagram_bytes;    // of each
  std::size_t largest_receive_datagrams = 0;  // of one call
};

// Receives until `bytes` bytes have arrived or the deadline has passed.
inline Receipt receive_all(const UdpSocket& socket, std::size_t bytes) {
  Receipt receipt;
  std::vector<std::uint8_t> buffer(1UL << 16);
  do {
    const RecvResult result = socket.receive(buffer, receipt.last);
    if (result == RecvResult::would_block && wait_for(socket.fd(), POLLIN)) continue;
    if (result != RecvResult::ok) return receipt;
    const Bytes data = receipt.last.data;
    receipt.bytes.insert(receipt.bytes.end(), data.begin(), data.end());
    std::size_t datagrams = 0;
    for (std::size_t at = 0; at < data.size(); at += receipt.last.segment_bytes, ++datagrams) {
      receipt.datagram_bytes.push_back(std::min(receipt.last.segment_bytes, data.size() - at));
    }
    receipt.largest_receive_datagrams = std::max(receipt.largest_receive_datagrams, datagrams);
  } while (receipt.bytes.size() < bytes);
  return receipt;
}

// The sizes of a run's datagrams.
inline std::vector<std::size_t> sizes(std::size_t bytes, std::size_t segment_bytes) {
  std::vector<std::size_t> result(bytes / segment_bytes, segment_bytes);
  if (bytes % segment_bytes != 0) result.push_back(bytes % segment_bytes);
  return result;
}

}  // namespace routevpn::outside::testing
