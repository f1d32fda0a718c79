#include "routevpn/link/worker.hpp"

#include <atomic>

#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/cage/confine.hpp"
#include "routevpn/cage/system_calls.hpp"
#include "routevpn/link/link.hpp"

namespace routevpn::link {

namespace {

Fd take_channel() {
  struct stat status {};
  if (fstat(channel::worker_descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    throw SystemError("a worker is started by its monitor: run routevpn");
  }
  return Fd(channel::worker_descriptor);
}

// OpenSSL reads its configuration file here, because later the worker cannot open a file.
void prepare_openssl() {
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr);
}

void confine(const Handover& given) {
  if (given.start.confined == 0) return;
  cage::confine({given.files.options.user, given.start.uid, given.start.gid},
                given.empty_root.get(), given.start.monitor_pid);
  cage::install_refusal_handler();
}

void restrict(const channel::Start& start, cage::ThreadRole role) {
  if (start.confined != 0) cage::restrict_system_calls(role, start.may_outlive != 0);
}

}  // namespace

int run_worker(const WorkerProbes& probes) {
  prctl(PR_SET_NAME, channel::worker_name);
  MonitorClient monitor{channel::Channel(take_channel())};
  auto given = receive_handover(monitor);
  const auto& options = given.files.options;
  Log::configure(options.log_level, options.log_format, given.link);
  prepare_openssl();
  confine(given);
  const auto start = given.start;
  auto identity = make_identity(given.files, std::move(given.psks), start.key, monitor);
  Link link(std::move(given), std::move(identity), monitor);
  if (probes.control) link.call_when_up([&] { probes.control(monitor.fd()); });
  std::atomic<bool> probed{false};
  link.start_lanes([&] {
    restrict(start, cage::ThreadRole::lane);
    if (probes.lane && !probed.exchange(true)) probes.lane();  // all lane threads have one filter
  });
  restrict(start, cage::ThreadRole::control);
  const bool as_asked = link.run();
  if (link.handed_over()) return static_cast<int>(Exit::stopped);
  monitor.tell(channel::Ended{static_cast<std::uint8_t>(as_asked ? 1 : 0)});
  return static_cast<int>(as_asked ? Exit::stopped : Exit::failed);
}

}  // namespace routevpn::link
