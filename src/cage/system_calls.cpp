#include "routevpn/cage/system_calls.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>

#include <seccomp.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/cage/rights.hpp"

#include "allowed_calls.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUTEVPN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ROUTEVPN_SANITIZED 1
#endif
#endif

namespace routevpn::cage {

namespace {

std::atomic<std::uint64_t> refused_count{0};
std::atomic<int> last_refused{-1};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);  // for the signal handler
static_assert(std::atomic<int>::is_always_lock_free);

// SYS_SECCOMP of the kernel's asm/siginfo.h, which clashes with the C library's signal.h.
constexpr int refused_by_seccomp = 1;

// The register of the system call's result.
#if defined(__x86_64__)
constexpr std::uint32_t refusal = SCMP_ACT_TRAP;
auto& result_of(ucontext_t& context) {
  return context.uc_mcontext.gregs[REG_RAX];
}
#elif defined(__aarch64__)
constexpr std::uint32_t refusal = SCMP_ACT_TRAP;
auto& result_of(ucontext_t& context) {
  return context.uc_mcontext.regs[0];
}
#else
constexpr std::uint32_t refusal = SCMP_ACT_ERRNO(EPERM);
long& result_of(ucontext_t&) {
  static long unused = 0;
  return unused;
}
#endif

// Async-signal-safe. The program goes on behind the call, with this result in the register.
void on_refusal(int, siginfo_t* info, void* context) {
  if (info->si_code != refused_by_seccomp) return;  // another process sent the signal
  refused_count.fetch_add(1, std::memory_order_relaxed);
  last_refused.store(info->si_syscall, std::memory_order_relaxed);
  auto& result = result_of(*static_cast<ucontext_t*>(context));
  result = static_cast<std::remove_reference_t<decltype(result)>>(-EPERM);
}

void require(int result, const char* what) {
  if (result < 0) throw system_error(std::string("restricting system calls: ") + what, -result);
}

// A blocked SIGSYS of the kernel would kill the process.
void unblock_refusal() {
  sigset_t refusals;
  sigemptyset(&refusals);
  sigaddset(&refusals, SIGSYS);
  require(-pthread_sigmask(SIG_UNBLOCK, &refusals, nullptr), "unblocking SIGSYS");
}

void load_filter(ThreadRole role, bool may_outlive) {
  const Owned<void, seccomp_release> filter(seccomp_init(refusal));
  if (!filter) throw SystemError("restricting system calls: seccomp_init failed");
  require(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
          "foreign architectures");
  for (const auto& call : allowed_calls(role, may_outlive)) {
    if (call.number < 0) continue;
    require(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call.number,
                                   static_cast<unsigned>(call.only_if.size()), call.only_if.data()),
            "adding a rule");
  }
  require(seccomp_load(filter.get()), "loading the filter (needs a kernel with seccomp)");
}

// The limit counts the threads of all processes of the user, so it could not be set before the
// lanes have started.
void forbid_threads() {
  require(limit_to_zero(RLIMIT_NPROC) ? 0 : -errno, "RLIMIT_NPROC");
}

}  // namespace

bool can_restrict_system_calls() {
#ifdef ROUTEVPN_SANITIZED
  return false;
#else
  return true;
#endif
}

void install_refusal_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_refusal;
  action.sa_flags = SA_SIGINFO;
  require(sigaction(SIGSYS, &action, nullptr) == 0 ? 0 : -errno, "the handler of SIGSYS");
}

void restrict_system_calls(ThreadRole role, bool may_outlive) {
  if (!can_restrict_system_calls()) {
    log_warning("system calls are not restricted, because this build has a sanitizer");
    return;
  }
  unblock_refusal();
  if (role == ThreadRole::control) forbid_threads();
  load_filter(role, may_outlive);
}

RefusedCalls refused_system_calls() {
  return {refused_count.load(std::memory_order_relaxed),
          last_refused.load(std::memory_order_relaxed)};
}

}  // namespace routevpn::cage
