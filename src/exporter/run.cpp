#include "routevpn/exporter/run.hpp"

#include <algorithm>
#include <csignal>
#include <initializer_list>
#include <optional>

#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/exporter/http_server.hpp"
#include "routevpn/exporter/listeners.hpp"
#include "routevpn/exporter/metrics.hpp"
#include "routevpn/exporter/pages.hpp"

namespace routevpn::exporter {

namespace {

Fd stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Fd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw system_error("signalfd");
  return fd;
}

// One socket per link is open during a collection.
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// As many as a full table of connections, so that the loop comes back to the signals.
void accept_all(const Fd& listener, HttpServer& server) {
  for (std::size_t i = 0; i < HttpServer::max_connections; ++i) {
    Fd connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection) return;  // also when the client has gone
    server.add(std::move(connection));
  }
}

// Sends events while there are streams.
class EventTimer {
 public:
  EventTimer(Pages& pages, EventStreams& streams) : pages_(pages), streams_(streams) {}

  // Null: no event has to be sent.
  [[nodiscard]] std::optional<Duration> timeout() const {
    if (streams_.size() == 0) return std::nullopt;
    return std::max(next_ - read_clock(), Duration::zero());
  }

  void run() {
    if (streams_.size() == 0 || read_clock() < next_) return;
    try {
      const auto event = pages_.next_event();
      if (event) streams_.publish(event);
    } catch (const std::exception& error) {
      // The pages connect again, and are told in the answer.
      log_error(error.what());
      streams_.end_all();
    }
    next_ = read_clock() + Pages::report_age;  // when the report is old
  }

 private:
  Pages& pages_;
  EventStreams& streams_;
  Time next_ = {};
};

int milliseconds_of(std::initializer_list<std::optional<Duration>> timeouts) {
  constexpr std::chrono::milliseconds longest{60'000};
  std::optional<Duration> first;
  for (const auto& timeout : timeouts) {
    if (timeout && (!first || *timeout < *first)) first = timeout;
  }
  if (!first) return -1;
  return static_cast<int>(
      std::min(std::chrono::ceil<std::chrono::milliseconds>(*first), longest).count());
}

}  // namespace

void serve(const Options& options) {
  const auto stop = stop_signals();
  allow_many_descriptors();
  auto listeners = passed_sockets();
  if (listeners.empty()) listeners.push_back(listen_on(options.listen));
  Pages pages(options.sources, read_network(options.topology));
  HttpServer server([&](const HttpRequest& request) { return pages.answer(request); },
                    options.hosts);
  EventTimer events(pages, server.streams());
  std::vector<pollfd> waiting{{stop.get(), POLLIN, 0}, {server.fd(), POLLIN, 0}};
  for (const auto& listener : listeners) waiting.push_back({listener.get(), POLLIN, 0});
  log_info("the exporter is ready");
  for (;;) {
    const auto timeout = milliseconds_of({server.timeout(), events.timeout(), pages.timeout()});
    if (::poll(waiting.data(), waiting.size(), timeout) < 0 && errno != EINTR) {
      throw system_error("poll");
    }
    if (waiting[0].revents != 0) return;
    pages.forget_if_old();
    events.run();
    server.run();
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      if (waiting[i + 2].revents != 0) accept_all(listeners[i], server);
    }
  }
}

bool print_once(const Options& options, std::ostream& out) {
  allow_many_descriptors();
  const auto report = collect(options.sources);
  out << metrics_text(report, read_sites(options.topology), ROUTEVPN_VERSION) << std::flush;
  if (!out) throw SystemError("standard output: cannot be written");
  const auto runs = [](const LinkReport& link) {
    return link.reason != name_of(Refusal::not_running);
  };
  return options.sources.links.empty() || std::ranges::all_of(report.links, runs);
}

}  // namespace routevpn::exporter
