// Runs the body of a test in a child process, which may confine itself.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

namespace routevpn::test {

// The end of a child process and what it reported.
struct Ended {
  std::string report;  // one line per fault; empty: none
  int exit_status = -1;
  int signal = 0;  // that killed it; SIGALRM: it took longer than 20 s
};

// A child's report of faults. It uses only read() and write(), so it works in every confinement.
class Report {
 public:
  Report(int pipe, int resume) : pipe_(pipe), resume_(resume) {}
  void fault(const std::string& line) const;
  void check(bool holds, const std::string& line) const {
    if (!holds) fault(line);
  }
  // Returns when the parent has observed the child.
  void be_observed() const;

 private:
  int pipe_;
  int resume_;
};

// A thrown exception is a fault, too. The handlers of the test framework are not in force. The
// parent calls `observe` with the child's process id at each be_observed().
Ended run_in_child(const std::function<void(const Report&)>& body,
                   const std::function<void(pid_t)>& observe = {});

// cage::confine() for a child of run_in_child(), with the user nobody.
void confine_as_nobody();

// False, with a warning that the test is skipped, in a build that cannot restrict system calls.
bool can_restrict_or_warn();
// False, with a warning that the test is skipped, for a user other than root.
bool is_root_or_warn();

}  // namespace routevpn::test
