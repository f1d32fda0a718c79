// Composes the rooms and runs a command.

#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/host/memory.hpp"
#include "routevpn/host/resolver_process.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/monitor/monitor.hpp"

#include "worker_main.hpp"

using namespace routevpn;

namespace {

// Signals reach only the monitor's signalfd. The worker inherits the mask: the monitor stops it.
void block_signals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// Descriptors 0 to 2 may be closed: no socket or namespace may take their numbers.
void open_standard_descriptors() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  ::close(fd);
}

struct Run {  // the command; it returns the exit status
  const cli::CommandLine& line;
  const cli::Console& console;
  bool keys_are_locked;

  int operator()(const cli::RunLink& run) const {
    const auto& options = run.options;
    Log::configure(options.log_level, options.log_format, options.link);
    for (const auto& warning : line.warnings) log_warning(warning);
    host::StateHook::require_trusted(options.on_state);
    if (!keys_are_locked) {
      log_warning("the memory of keys cannot be locked (RLIMIT_MEMLOCK): keys may be swapped");
    }
    block_signals();
    return static_cast<int>(monitor::run(options, run.arguments));
  }
  int operator()(const cli::CheckLink&) const { return cli::run_check(line, console); }
  int operator()(const cli::PrintText& print) const {
    console.out << print.text;
    return static_cast<int>(Exit::stopped);
  }
  int operator()(const auto& command) const { return cli::run(command, console); }
};

int run(const cli::CommandLine& line, const cli::Console& console, bool keys_are_locked) {
  if (!line.faults.empty() && !std::holds_alternative<cli::CheckLink>(line.command)) {
    console.report(line.faults);
    return static_cast<int>(Exit::usage);
  }
  return std::visit(Run{line, console, keys_are_locked}, line.command);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 0 ? argv[0] : "";
  if (name == host::ResolverProcess::program_name) return host::run_resolver(argc, argv);
  open_standard_descriptors();
  const bool keys_are_locked = host::protect_keys();
  const auto console = cli::Console::standard();
  const auto end = [&console](const std::exception& error, Exit status) {
    console.report(error.what());
    return static_cast<int>(status);
  };
  try {
    if (name == channel::worker_name) return worker_main();
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return run(cli::parse_command_line(arguments), console, keys_are_locked);
  } catch (const UsageErrors& errors) {
    console.report(errors.lines);
    return static_cast<int>(errors.status);
  } catch (const UsageError& error) {
    return end(error, error.status);
  } catch (const std::exception& error) {
    return end(error, Exit::failed);
  }
}
