// Composes and runs; the steps of a link's life, in order, are those of run_link().

#include <csignal>

#include "routevpn/base/log.hpp"
#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/run.hpp"
#include "routevpn/link/link.hpp"

using namespace routevpn;

namespace {

// Every thread that is started later inherits this: signals come to the control thread's signalfd.
void block_signals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int run_link(const options::LinkOptions& options, const std::vector<std::string>& warnings) {
  Log::configure(options.log_level, options.log_format, options.link);
  for (const auto& warning : warnings) log_warning(warning);
  block_signals();
  const auto identity =
      dtls::Identity::load({options.certificate, options.key, options.ca, options.crl},
                           {options.peer_name, options.ciphers});
  link::Link link(options, identity, link::open_ends(options));
  return static_cast<int>(link.run());
}

int run(const cli::CommandLine& line, const cli::Console& console) {
  if (std::holds_alternative<cli::CheckLink>(line.command)) {
    return cli::run_check(line, cli::Probes::of_system(), console);
  }
  if (!line.faults.empty()) {
    console.complain(line.faults);
    return static_cast<int>(Exit::usage);
  }
  if (const auto* const wanted = std::get_if<cli::RunLink>(&line.command)) {
    return run_link(wanted->options, line.warnings);
  }
  if (const auto* const show = std::get_if<cli::ShowLinks>(&line.command)) {
    return cli::run_show(*show, console);
  }
  if (const auto* const pki = std::get_if<cli::PkiCommand>(&line.command)) {
    return cli::run_pki(*pki, console);
  }
  if (const auto* const request = std::get_if<plan::PlanRequest>(&line.command)) {
    return cli::run_plan(*request, console);
  }
  if (const auto* const help = std::get_if<cli::Help>(&line.command)) {
    return cli::run_help(*help, console);
  }
  return cli::run_version(console);
}

}  // namespace

int main(int argc, char** argv) {
  const auto console = cli::Console::standard();
  const auto end = [&console](const std::exception& error, Exit status) {
    console.complain(std::vector<std::string>{error.what()});
    return static_cast<int>(status);
  };
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return run(cli::parse_command_line(arguments), console);
  } catch (const UsageError& error) {
    return end(error, Exit::usage);
  } catch (const std::exception& error) {
    return end(error, Exit::failed);
  }
}
