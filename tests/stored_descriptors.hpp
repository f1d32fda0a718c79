// Descriptors as the service manager passes them, for tests.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace routevpn::test {

// Runs the check in a child with these descriptors from 3 on.
inline bool with_descriptors(const std::vector<int>& fds, const std::string& names,
                             const std::function<bool()>& check) {
  const pid_t child = fork();
  if (child == 0) {
    for (std::size_t i = 0; i < fds.size(); ++i) dup2(fds[i], 500 + static_cast<int>(i));
    for (int i = 0; i < static_cast<int>(fds.size()); ++i) dup2(500 + i, 3 + i);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names.c_str(), 1);
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0;
}

}  // namespace routevpn::test
