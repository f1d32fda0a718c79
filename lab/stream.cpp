// Sends and receives numbered UDP packets, one per millisecond, to find which were lost and when.
//
//   lab_stream send FILE FLOW...            until SIGTERM; FLOW is NAME,FROM,PORT,TO,PORT
//   lab_stream receive FILE PORT            until SIGTERM
//   lab_stream probe FROM PORT COUNT TO TO-PORT  a byte from each of the COUNT ports from PORT on
//   lab_stream now                          prints the time of the clock below
//
// When they end, they write FILE. The sender writes "flow NAME" for each flow, then the times at
// which it sent each number. The receiver writes "NAME NUMBER SENT ARRIVED" for each packet. Times
// are nanoseconds of CLOCK_MONOTONIC, which is the same in all namespaces of a machine. A sender
// that could not run does not catch up, because its burst would overflow queues.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <netdb.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace {

using namespace routevpn;

constexpr std::int64_t interval_ns = 1'000'000;
// Room for ten seconds of four streams, in which the receiver does not run.
constexpr int receive_buffer_bytes = 32 * 1024 * 1024;

// Both ends are on one machine: the packet has its byte order and layout.
struct Packet {
  std::array<char, 16> flow{};
  std::uint64_t number = 0;
  std::int64_t sent_ns = 0;
};

struct Arrival {
  Packet packet;
  std::int64_t arrived_ns = 0;
};

volatile std::sig_atomic_t stopped = 0;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec at{ns / 1'000'000'000, ns % 1'000'000'000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

// Without SA_RESTART, so that a signal ends a waiting recv().
void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress numeric(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* raw = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &raw) != 0) {
    throw UsageError(host + " port " + port + ": an IP address and a number are allowed");
  }
  const Owned<addrinfo, freeaddrinfo> found(raw);
  SocketAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  return address;
}

Fd bound_socket(const SocketAddress& own) {
  Fd fd(socket(own.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || bind(fd.get(), own.get(), own.size) != 0) throw system_error("lab_stream: socket");
  return fd;
}

struct Flow {
  std::string name;
  Fd socket;
  SocketAddress to;
};

Flow parse_flow(const std::string& text) {
  std::array<std::string, 5> part;
  std::istringstream in(text);
  for (auto& one : part) {
    if (!std::getline(in, one, ',')) throw UsageError(text + ": NAME,FROM,PORT,TO,PORT is allowed");
  }
  if (part[0].size() >= sizeof(Packet::flow)) throw UsageError(text + ": NAME is too long");
  return {part[0], bound_socket(numeric(part[1], part[2])), numeric(part[3], part[4])};
}

void finish(std::ofstream& out, const std::string& path) {
  if (!out.flush()) throw SystemError("lab_stream: " + path + ": cannot be written");
}

// The socket is not connected: the kernel looks up the route of each packet, as for forwarded
// packets.
void send_one(const Flow& flow, std::uint64_t number) {
  Packet packet;
  flow.name.copy(packet.flow.data(), packet.flow.size() - 1);
  packet.number = number;
  packet.sent_ns = now_ns();
  // A packet that the kernel refuses, without a route, counts as lost: the receiver does not get
  // it.
  (void)sendto(flow.socket.get(), &packet, sizeof packet, 0, flow.to.get(), flow.to.size);
}

void send_flows(const std::string& path, std::span<const char* const> texts) {
  std::vector<Flow> flows;
  for (const auto* const text : texts) flows.push_back(parse_flow(text));
  prctl(PR_SET_TIMERSLACK, 1);
  std::vector<std::int64_t> sent_ns;
  sent_ns.reserve(std::size_t{1} << 20U);
  auto due = now_ns();
  while (stopped == 0) {
    const auto now = now_ns();
    for (const auto& flow : flows) send_one(flow, sent_ns.size());
    sent_ns.push_back(now);
    due = std::max(due, now - interval_ns) + interval_ns;
    sleep_until(due);
  }
  std::ofstream out(path);
  for (const auto& flow : flows) out << "flow " << flow.name << '\n';
  for (const auto ns : sent_ns) out << ns << '\n';
  finish(out, path);
}

void probe(std::span<const char* const> arguments) {
  const std::string from = arguments[0];
  const auto first = std::stoul(arguments[1]);
  const auto to = numeric(arguments[3], arguments[4]);
  for (auto port = first; port < first + std::stoul(arguments[2]); ++port) {
    const auto fd = bound_socket(numeric(from, std::to_string(port)));
    (void)sendto(fd.get(), "", 1, 0, to.get(), to.size);
  }
}

void receive_to(const std::string& path, const std::string& port) {
  const auto fd = bound_socket(numeric("::", port));
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes,
                 sizeof receive_buffer_bytes) != 0) {
    throw system_error("lab_stream: SO_RCVBUFFORCE");
  }
  // A signal can arrive between the test of `stopped` and recv().
  const timeval timeout{0, 100'000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  std::vector<Arrival> arrivals;
  arrivals.reserve(std::size_t{1} << 20U);
  while (stopped == 0) {
    Arrival arrival;
    const auto size = recv(fd.get(), &arrival.packet, sizeof arrival.packet, 0);
    arrival.arrived_ns = now_ns();
    arrival.packet.flow.back() = '\0';
    if (size == static_cast<ssize_t>(sizeof arrival.packet)) arrivals.push_back(arrival);
  }
  std::ofstream out(path);
  for (const auto& [packet, arrived_ns] : arrivals) {
    out << packet.flow.data() << ' ' << packet.number << ' ' << packet.sent_ns << ' ' << arrived_ns
        << '\n';
  }
  finish(out, path);
}

void run(std::span<const char* const> arguments) {
  stop_on_signals();
  const std::string_view verb = arguments.size() > 1 ? arguments[1] : "";
  if (verb == "send" && arguments.size() > 3) return send_flows(arguments[2], arguments.subspan(3));
  if (verb == "receive" && arguments.size() == 4) return receive_to(arguments[2], arguments[3]);
  if (verb == "now") {
    std::cout << now_ns() << '\n';
    return;
  }
  if (verb == "probe" && arguments.size() == 7) return probe(arguments.subspan(2));
  throw UsageError("lab_stream: send, receive, probe and now are allowed");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run({arguments, static_cast<std::size_t>(count)});
    return 0;
  } catch (const UsageError& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(Exit::usage);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(Exit::failed);
  }
}
