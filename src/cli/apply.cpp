#include <csignal>
#include <cstring>
#include <thread>

#include <unistd.h>

#include "routevpn/apply/run.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/render.hpp"
#include "routevpn/cli/status_client.hpp"

namespace routevpn::cli {

namespace {

using std::chrono::seconds, std::chrono::milliseconds;

// systemd kills a start job after 90 s (DefaultTimeoutStartSec, systemd-system.conf(5)).
constexpr seconds systemctl_timeout{120};
constexpr seconds bird_timeout{10};
constexpr milliseconds status_timeout{2000};
constexpr seconds link_reload_timeout{10};

// Of the signals that end a process, those that it does not ignore, as SIGHUP under nohup(1).
sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&signals, number);
  }
  return signals;
}

class SystemMachine final : public apply::Machine {
 public:
  // A signal must not end the program while it moves files: carry_out() looks for signals between
  // the steps. The reader of standard output may have gone.
  void hold_signals() {
    signals_ = ending_signals();
    if (sigprocmask(SIG_BLOCK, &signals_, nullptr) != 0) throw system_error("sigprocmask");
    std::signal(SIGPIPE, SIG_IGN);
  }
  std::optional<std::string> signal() override {
    const timespec no_wait{};
    const int number = sigtimedwait(&signals_, nullptr, &no_wait);
    if (number < 0) return std::nullopt;
    return std::string("SIG") + sigabbrev_np(number);
  }
  std::optional<host::ProgramEnd> run(const apply::Words& words) override {
    return host::run_program(words,
                             words.front() == "systemctl" ? systemctl_timeout : bird_timeout);
  }
  bool is_up(const std::string& run_dir, const std::string& link) override {
    auto stream = StatusStream::ask(run_dir, link, "status");
    return stream && state_of(stream->read_object(status_timeout)) == "up";
  }
  std::optional<host::CommandSocket::Answer> reload(const std::string& run_dir,
                                                    const std::string& link) override {
    return host::send_command(run_dir, link, "reload", link_reload_timeout);
  }
  Time now() override { return read_clock(); }
  void pause(Duration length) override { std::this_thread::sleep_for(length); }

 private:
  sigset_t signals_{};
};

void print(const std::vector<std::string>& lines, const Console& console) {
  for (const auto& line : lines) console.out << "to do: " << line << "\n";
  console.out << std::flush;
}

int carry_out(apply::Run& run, const Console& console) {
  const auto lines = run.lines();
  std::size_t done = 0;
  try {
    run.carry_out([&] { console.out << "done: " << lines.at(done++) << "\n" << std::flush; });
    return static_cast<int>(Exit::stopped);
  } catch (const SystemError& error) {
    const bool at_end = done == lines.size();
    console.report((at_end ? "stopped at the end: " : "stopped at: " + lines[done] + ": ") +
                   error.what());
    for (auto i = done + 1; i < lines.size(); ++i) console.report("not done: " + lines[i]);
    return static_cast<int>(Exit::failed);
  }
}

}  // namespace

int run(const apply::ApplyRequest& request, const Console& console) {
  if (geteuid() != 0) throw UsageError("apply: must run as root, to change files and units");
  SystemMachine machine;
  if (!request.dry_run) machine.hold_signals();
  return run(request, machine, console);
}

int run(const apply::ApplyRequest& request, apply::Machine& machine, const Console& console) {
  apply::Run run(request, machine);
  console.report(run.warnings(), "warning: ");
  console.report(run.faults());
  if (!run.faults().empty()) return static_cast<int>(Exit::usage);
  const auto lines = run.lines();
  if (lines.empty()) console.out << run.gateway() << ": nothing to do\n";
  print(lines, console);
  return request.dry_run ? static_cast<int>(Exit::stopped) : carry_out(run, console);
}

}  // namespace routevpn::cli
