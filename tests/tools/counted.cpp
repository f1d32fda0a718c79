// Sends numbered UDP datagrams from one network namespace to another and reports losses and delays.
// One process has both ends, so that one clock measures both.

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/host/netns.hpp"

#include "tools/counted_options.hpp"
#include "tools/stream_record.hpp"

using namespace routevpn;
using namespace routevpn::test;
using Options = CountedOptions;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t header_bytes = 24;  // run, number, flow
constexpr std::size_t max_outages = 100;

volatile std::sig_atomic_t stopped = 0;

Fd open_socket(const std::string& space, const std::string& option, int family) {
  std::optional<host::NetnsScope> scope;
  if (!space.empty()) scope.emplace(host::Netns::open(space, option));
  Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) throw system_error("UDP socket");
  return socket;
}

void bind_to(const Fd& socket, const SocketAddress& address, const char* what) {
  sockaddr_storage name{};
  const auto length = address.to_kernel(name, address.address.family());
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) {
    throw system_error(std::string(what) + " " + address.to_string());
  }
}

class Stream {
 public:
  explicit Stream(const Options& options)
      : options_(options), record_(options.flows), payload_(options.bytes) {
    receiver_ = open_socket(options.to, "--to", options.target.address.family());
    bind_to(receiver_, options.target, "receiving at");
    const int on = 1;
    const int buffer = 8 << 20;
    setsockopt(receiver_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(receiver_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    const auto& to = options.via ? *options.via : options.target;
    const bool v4 = to.address.is_v4();
    const int traffic_class = options.dscp << 2;
    for (unsigned flow = 0; flow < options.flows; ++flow) {
      auto& sender =
          senders_.emplace_back(open_socket(options.from, "--from", to.address.family()));
      if (options.source) bind_to(sender, {*options.source, 0}, "sending from");
      setsockopt(sender.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
                 &traffic_class, sizeof traffic_class);
    }
    name_bytes_ = to.to_kernel(name_, to.address.family());
  }

  void run() {
    start_ = Time::clock::now();
    for (Time next = start_; !stopped && (options_.count == 0 || record_.sent() < options_.count);
         next += options_.interval) {
      wait_until(next);
      if (!stopped) send();
      if (options_.burst != 0 && record_.sent() % options_.burst == 0) next += options_.pause;
    }
    stopped = 0;  // a second signal ends the wait for the last datagrams
    const Time end = Time::clock::now() + options_.grace;
    while (!stopped && record_.received() < record_.sent() && Time::clock::now() < end) {
      wait_until(std::min(end, Time::clock::now() + 10ms));
    }
  }

  [[nodiscard]] nlohmann::ordered_json report() const;

 private:
  void fill(std::uint64_t number) {
    store_be64(payload_.data(), static_cast<std::uint64_t>(start_.time_since_epoch().count()));
    store_be64(payload_.data() + 8, number);
    store_be64(payload_.data() + 16, number % options_.flows);
    for (std::size_t i = header_bytes; i < payload_.size(); ++i) {
      payload_[i] = static_cast<std::uint8_t>(number * 31 + i * 7);
    }
  }

  void send() {
    const auto number = record_.send(Time::clock::now());
    fill(number);
    const auto& sender = senders_[number % options_.flows];
    if (sendto(sender.get(), payload_.data(), payload_.size(), 0,
               reinterpret_cast<const sockaddr*>(&name_), name_bytes_) < 0) {
      record_.refused();
    }
  }

  void wait_until(Time when) {
    sigset_t none;
    sigemptyset(&none);
    while (!stopped) {
      const auto left = std::max(when - Time::clock::now(), Duration::zero());
      const timespec timeout{left / 1s, (left % 1s).count()};
      pollfd readable{receiver_.get(), POLLIN, 0};
      const int got = ppoll(&readable, 1, &timeout, &none);
      if (got > 0) {
        while (receive()) {
        }
      }
      if (got == 0 || Time::clock::now() >= when) return;
    }
  }

  bool receive() {
    iovec data{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto bytes = recvmsg(receiver_.get(), &message, 0);
    if (bytes < 0) return false;
    judge({buffer_.data(), static_cast<std::size_t>(bytes)}, arrival(message));
    return true;
  }

  // The time at which the kernel received the datagram: a late read is not a delay of the network.
  // The kernel's stamp is of the wall clock. Its age is subtracted from the time of the steady
  // clock.
  static Time arrival(msghdr& message) {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    const Time now = Time::clock::now();
    for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS) continue;
      timespec stamp{};
      std::copy_n(CMSG_DATA(c), sizeof stamp, reinterpret_cast<unsigned char*>(&stamp));
      return now - 1s * (wall.tv_sec - stamp.tv_sec) - 1ns * (wall.tv_nsec - stamp.tv_nsec);
    }
    return now;
  }

  void judge(ConstBytes datagram, Time when) {
    const auto run = static_cast<std::uint64_t>(start_.time_since_epoch().count());
    if (datagram.size() < header_bytes || load_be64(datagram.data()) != run) {
      ++foreign_;
      return;
    }
    const auto number = load_be64(datagram.data() + 8);
    fill(number);
    if (!std::ranges::equal(datagram, payload_) || !record_.arrive(number, when)) {
      ++corrupted_;
      return;
    }
    if (record_.received() == 1) std::cerr << "counted: the first one arrived" << std::endl;
  }

  const Options& options_;
  StreamRecord record_;
  std::vector<std::uint8_t> payload_;
  std::array<std::uint8_t, 65536> buffer_{};
  Fd receiver_;
  std::vector<Fd> senders_;
  sockaddr_storage name_{};
  socklen_t name_bytes_ = 0;
  Time start_{};
  std::uint64_t corrupted_ = 0;
  std::uint64_t foreign_ = 0;
};

double ms(Duration duration) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(duration).count()) / 1e3;
}

nlohmann::ordered_json Stream::report() const {
  auto report = record_.report();
  if (report.outages.size() > max_outages) {
    std::ranges::nth_element(report.outages, report.outages.begin() + max_outages,
                             std::ranges::greater{}, &Outage::length);
    report.outages.resize(max_outages);
    std::ranges::sort(report.outages, {}, &Outage::at);
  }
  auto outages = nlohmann::ordered_json::array();
  for (const auto& outage : report.outages) {
    outages.push_back({{"flow", outage.flow},
                       {"at_ms", ms(outage.at)},
                       {"ms", ms(outage.length)},
                       {"lost", outage.lost}});
  }
  return {{"sent", report.sent},
          {"received", report.received},
          {"lost", report.lost},
          {"refused", report.refused},
          {"duplicated", report.duplicated},
          {"reordered", report.reordered},
          {"corrupted", corrupted_},
          {"foreign", foreign_},
          {"longest_gap_ms", ms(report.longest_gap)},
          {"longest_gap_at_ms", ms(report.longest_gap_at)},
          {"longest_pause_ms", ms(report.longest_pause)},
          {"delay_ms",
           {{"min", ms(report.delay_min)},
            {"median", ms(report.delay_median)},
            {"p99", ms(report.delay_p99)},
            {"max", ms(report.delay_max)}}},
          {"started", static_cast<double>(start_.time_since_epoch().count()) / 1e9},
          {"outages", std::move(outages)}};
}

// Signals are delivered only while ppoll() waits, so that none is missed.
void take_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stopped = 1; };
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGTERM, SIGINT}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&blocked, signal);
  }
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (std::ranges::find(arguments, "--help") != arguments.end()) {
      std::cout << counted_help;
      return 0;
    }
    const auto options = parse_counted_options(arguments);
    take_signals();
    prctl(PR_SET_TIMERSLACK, 1UL);  // ns; the default, 50,000 ns, is 5 % of the interval
    Stream stream(options);
    stream.run();
    std::cout << stream.report().dump() << '\n';
    return 0;
  } catch (const UsageError& error) {
    std::cerr << "counted: " << error.what() << '\n';
    return static_cast<int>(Exit::usage);
  } catch (const std::exception& error) {
    std::cerr << "counted: " << error.what() << '\n';
    return static_cast<int>(Exit::failed);
  }
}
