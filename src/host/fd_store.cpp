#include "routevpn/host/fd_store.hpp"

#include <cstdlib>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/host/child_process.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/host/program.hpp"

namespace routevpn::host {

namespace {

constexpr int first_stored = 3;  // SD_LISTEN_FDS_START

std::uint32_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : to_number(text).value_or(0);
}

}  // namespace

bool store_descriptor(const std::string& name, int fd) {
  // FDPOLL=0: systemd would drop a socket that has an error, and an error of ICMP is none for us.
  return notify_with("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, fd);
}

void remove_stored_descriptor(const std::string& name) {
  static_cast<void>(notify_with("FDSTOREREMOVE=1\nFDNAME=" + name, -1));
}

// sd_notify_barrier(3): the service manager closes the descriptor.
bool wait_for_service_manager(std::chrono::milliseconds at_most) {
  Pipe barrier;
  try {
    barrier = make_pipe();
  } catch (const SystemError& error) {
    log_warning("the service manager cannot be waited for", {{"error", error.what()}});
    return false;
  }
  if (!notify_with("BARRIER=1", barrier.write_end.get())) return false;
  barrier.write_end.reset();
  pollfd closed{barrier.read_end.get(), 0, 0};
  return poll(&closed, 1, static_cast<int>(at_most.count())) > 0;
}

std::vector<StoredDescriptor> take_stored_descriptors() {
  std::vector<StoredDescriptor> all;
  const bool ours = number_in("LISTEN_PID") == static_cast<std::uint32_t>(getpid());
  const int count = ours ? static_cast<int>(number_in("LISTEN_FDS")) : 0;
  const char* const listed = std::getenv("LISTEN_FDNAMES");
  std::istringstream names(listed == nullptr ? "" : listed);
  for (int i = 0; i < count; ++i) {
    StoredDescriptor one{{}, Fd(first_stored + i)};
    std::getline(names, one.name, ':');
    if (fcntl(one.fd.get(), F_SETFD, FD_CLOEXEC) != 0) continue;
    all.push_back(std::move(one));
  }
  for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    unsetenv(variable);
  }
  return all;
}

// A line of the output: JOB UNIT TYPE STATE. A restart has this type until the unit has stopped.
bool is_restarting(const std::string& unit, std::chrono::milliseconds at_most) {
  std::optional<ProgramEnd> end;
  try {
    end = run_program({"systemctl", "list-jobs", "--plain", "--no-legend", unit}, at_most);
  } catch (const SystemError& error) {
    log_warning("systemctl does not tell whether the service restarts", {{"error", error.what()}});
  }
  std::istringstream lines(end ? end->out : "");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string job;
    std::string name;
    std::string type;
    words >> job >> name >> type;
    if (name == unit) return type == "restart";
  }
  return false;
}

}  // namespace routevpn::host
