// Runs a program of the system: no shell between, standard input empty.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace routevpn::host {

struct ProgramEnd {
  int status;       // exit status, or 128 + the number of the signal that ended it
  std::string out;  // standard output, at most 1 MiB
  std::string err;  // standard error, at most 1 MiB
};

// `words`: the program's name and its arguments. The program is searched in PATH, then in /usr/sbin
// and /sbin, which the PATH of su(1) may lack. It runs with LC_ALL=C. None: there is no such
// program. Throws SystemError; also after `at_most`, when the program has been killed.
std::optional<ProgramEnd> run_program(const std::vector<std::string>& words,
                                      std::chrono::milliseconds at_most);

}  // namespace routevpn::host
