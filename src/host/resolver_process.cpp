#include "routevpn/host/resolver_process.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cage/deny.hpp"
#include "routevpn/cage/rights.hpp"
#include "routevpn/host/child_process.hpp"
#include "routevpn/host/signal_child.hpp"

#include "resolver_records.hpp"

namespace routevpn::host {

namespace {

// --- the child, from fork() to its new program ------------------------------------------------

constexpr int program_fd = STDERR_FILENO + 1;

// Of all descriptors only the output and the program stay open. Standard error is not kept: a
// resolver that an attacker controls could write into the log.
bool arrange_descriptors(int program, int output) {
  const int null = ::open("/dev/null", O_RDWR);
  const int kept = fcntl(program, F_DUPFD, program_fd + 1);
  return null >= 0 && kept >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
         dup2(null, STDIN_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
         dup3(kept, program_fd, O_CLOEXEC) >= 0 && close_range(program_fd + 1, UINT_MAX, 0) == 0;
}

bool reset_signals() {
  for (const int number : {SIGPIPE, SIGCHLD, SIGALRM}) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

// Keeps the user without root, and in a user namespace that does not map the group: then no process
// in it can have its id. setgroups() after setresgid() fails in a namespace that denies it.
bool become(uid_t uid, gid_t gid) {
  if (geteuid() != 0) return true;
  if (setresgid(gid, gid, gid) != 0) return errno == EINVAL;
  return setgroups(0, nullptr) == 0 && setresuid(uid, uid, uid) == 0;
}

// RLIMIT_NPROC comes after the change of user: the kernel counts the processes of the new user at
// that moment, and would refuse the new program. A change of user clears PR_SET_PDEATHSIG.
bool confine(uid_t uid, gid_t gid, pid_t parent) {
  cage::drop_bounding_set();  // without CAP_SETPCAP the set stays, and no_new_privs must suffice
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && become(uid, gid) &&
         cage::drop_capabilities() && cage::limit_to_zero(RLIMIT_CORE) &&
         cage::limit_to_zero(RLIMIT_FSIZE) && cage::limit_to_zero(RLIMIT_NPROC) &&
         prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

// The environment that glibc's resolver reads.
std::vector<std::string> resolver_environment() {
  std::vector<std::string> variables;
  for (const char* name : {"RES_OPTIONS", "LOCALDOMAIN"}) {
    const char* value = getenv(name);
    if (value != nullptr) variables.push_back(std::string(name).append("=").append(value));
  }
  return variables;
}

// --- the new program ----------------------------------------------------------------------------

// A signal handler may not format a text, so it is made before.
std::string time_out_record;

void report_time_out(int /*signal*/) {
  [[maybe_unused]] const auto put =
      ::write(STDOUT_FILENO, time_out_record.data(), time_out_record.size());
  _exit(static_cast<int>(Exit::failed));
}

void report_after_time_limit() {
  time_out_record = error_record("no answer within " +
                                 std::to_string(ResolverProcess::time_limit_s) + " seconds");
  std::signal(SIGALRM, report_time_out);
}

std::string resolve(const char* host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host, nullptr, &hints, &list);
  if (error == EAI_SYSTEM) return error_record(std::generic_category().message(errno));
  if (error != 0) return error_record(gai_strerror(error));
  const Owned<addrinfo, freeaddrinfo> owned(list);
  std::string records;
  std::size_t count = 0;
  for (const auto* entry = list; entry != nullptr && count < ResolverProcess::max_addresses;
       entry = entry->ai_next, ++count) {
    sockaddr_storage name{};
    std::memcpy(&name, entry->ai_addr, entry->ai_addrlen);
    records += address_record(SocketAddress::from_kernel(name));
  }
  return records;
}

}  // namespace

ResolverProcess ResolverProcess::start(const Fd& program, const std::string& host, uid_t uid,
                                       gid_t gid) {
  // Everything is allocated before fork(), because another thread may hold the heap's lock.
  Pipe output = make_pipe();
  if (fcntl(output.read_end.get(), F_SETFL, O_NONBLOCK) != 0) throw system_error("pipe");
  std::string name = program_name;
  std::string argument = host;
  std::vector<std::string> variables = resolver_environment();
  std::array<char*, 3> arguments{name.data(), argument.data(), nullptr};
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) throw system_error("starting the resolver process");
  if (pid == 0) {
    alarm(time_limit_s);
    if (arrange_descriptors(program.get(), output.write_end.get()) && reset_signals() &&
        confine(uid, gid, parent)) {
      syscall(SYS_execveat, program_fd, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
    }
    _exit(static_cast<int>(Exit::failed));
  }
  return {pid, uid, std::move(output.read_end)};
}

ResolverProcess::ResolverProcess(pid_t pid, uid_t uid, Fd output)
    : pid_(pid), uid_(uid), output_(std::move(output)) {}

ResolverProcess::~ResolverProcess() {
  if (!output_) return;
  signal_child(pid_, SIGKILL, uid_);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ResolverProcess::Answer> ResolverProcess::take() {
  static_assert(std::tuple_size_v<decltype(received_)> > max_output_bytes);
  const Bytes all(received_);
  ssize_t got = 1;
  while (got > 0 && received_bytes_ < all.size()) {
    const Bytes rest = all.subspan(received_bytes_);
    got = ::read(output_.get(), rest.data(), rest.size());
    if (got > 0) received_bytes_ += static_cast<std::size_t>(got);
    if (got < 0 && errno == EINTR) got = 1;
  }
  if (got < 0 && errno == EAGAIN) return std::nullopt;
  auto answer = parse_records(all.first(received_bytes_));
  if (got != 0 || !answer) return Answer{{}, "the resolver process failed"};
  return answer;
}

int run_resolver(int argc, char** argv) {
  if (argc != 2) return static_cast<int>(Exit::usage);
  prctl(PR_SET_NAME, ResolverProcess::program_name);
  report_after_time_limit();
  std::string records;
  try {
    cage::deny_harm();
    records = resolve(argv[1]);
  } catch (const SystemError& error) {
    records = error_record(error.what());
  }
  alarm(0);  // only one of the two reports is written
  const auto put = ::write(STDOUT_FILENO, records.data(), records.size());
  return static_cast<int>(put == static_cast<ssize_t>(records.size()) ? Exit::stopped
                                                                      : Exit::failed);
}

}  // namespace routevpn::host
