// routevpn with a hostile worker: the same program in all but worker_main(). In each lane's thread
// and in the control thread the confined worker tries what an intruder would. For each attempt it
// prints "probe ROLE WHAT: RESULT" to standard error. The environment:
//
//   CAGED_MESSAGES   random messages to the monitor, 1000000
//   CAGED_SEED       of their content; without it a random seed, which is printed

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <random>
#include <string>

#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/channel/channel.hpp"
#include "routevpn/link/worker.hpp"

#include "attempts.hpp"
#include "hostile_pair.hpp"
#include "worker_main.hpp"

namespace routevpn {

namespace {

using namespace test;
using attempts::Attempt;

constexpr int most_descriptors = 64;  // of the worker

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::vector<Attempt> all_attempts() {
  std::vector<Attempt> all;
  for (auto* list : {attempts::on_files, attempts::on_sockets, attempts::on_processes,
                     attempts::on_privileges, attempts::on_executable_memory}) {
    std::ranges::move(list(), std::back_inserter(all));
  }
  return all;
}

// No stream: it could allocate a buffer that the thread's filter does not expect.
void print(const std::string& line) {
  const std::string text = "probe " + line + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

class Probe {
 public:
  explicit Probe(std::string role) : role_(std::move(role)) {}

  void attempt(const Attempt& attempt) { report(attempt.what, result_of(attempt)); }

  // Fails with EPERM for every descriptor, or the result of the first for which it does not.
  void attempt_ioctl(const std::string& name, unsigned long request) {
    std::string worst = "EPERM";
    static int argument = 1;
    for (int fd = 0; fd < most_descriptors; ++fd) {
      const auto result = result_of(
          {name, SYS_ioctl, {fd, static_cast<long>(request), attempts::argument(&argument)}});
      if (result != "EPERM" && worst == "EPERM") worst = result + " (" + std::to_string(fd) + ")";
    }
    report("ioctl " + name + " of each descriptor", worst);
  }

  void report(const std::string& what, const std::string& result) const {
    print(role_ + " " + what + ": " + result);
  }
  void report_count() const { print(role_ + " system calls, " + std::to_string(count_)); }

 private:
  std::string result_of(const Attempt& attempt) {
    const auto& a = attempt.arguments;
    ++count_;
    errno = 0;
    const long result = syscall(attempt.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result >= 0) return "succeeded";
    return strerrorname_np(errno);
  }

  std::string role_;
  std::uint64_t count_ = 0;
};

void try_calls(Probe& probe, const std::vector<Attempt>& all) {
  for (const auto& attempt : all) probe.attempt(attempt);
  probe.attempt_ioctl("TUNSETIFF", TUNSETIFF);
  probe.attempt_ioctl("TUNSETCARRIER", TUNSETCARRIER);
  probe.attempt_ioctl("TUNSETPERSIST", TUNSETPERSIST);
  probe.attempt_ioctl("TUNSETOFFLOAD", TUNSETOFFLOAD);
  probe.attempt_ioctl("TUNSETVNETHDRSZ", TUNSETVNETHDRSZ);
  probe.attempt_ioctl("TUNGETIFF", TUNGETIFF);
}

void report_messages(const std::string& role, const HostilePair& pair) {
  print(role + " messages, refused " + std::to_string(pair.refused()) + ", undecided " +
        std::to_string(pair.undecided()));
}

void try_as_lane(const std::vector<Attempt>& all) {
  Probe probe("lane");
  try_calls(probe, all);
  probe.attempt_ioctl("TUNSETQUEUE", TUNSETQUEUE);  // only the control thread moves queues
  probe.report_count();
  HostilePair pair(channel::worker_descriptor);
  pair.send_before_ready();
  report_messages("lane", pair);
}

void try_as_control(const std::vector<Attempt>& all, int monitor, std::uint64_t messages,
                    std::uint64_t seed) {
  Probe probe("control");
  try_calls(probe, all);
  probe.report_count();
  HostilePair pair(monitor);
  pair.send_invalid();
  if (!pair.take_answers()) print("control: the monitor does not answer invalid messages");
  report_messages("control invalid", pair);
  print("control seed " + std::to_string(seed));
  pair.send_random(seed, messages);
  if (!pair.take_answers()) print("control: the monitor does not answer random messages");
  report_messages("control all", pair);
}

}  // namespace

int worker_main() {
  const auto all = all_attempts();  // their target is this process's parent
  const auto messages = number_of("CAGED_MESSAGES", 1'000'000);
  const auto seed = number_of("CAGED_SEED", std::random_device{}());
  return link::run_worker({[&] { try_as_lane(all); },
                           [&](int monitor) { try_as_control(all, monitor, messages, seed); }});
}

}  // namespace routevpn
