// Runs a program of the machine and reads what it prints.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/doctor/machine.hpp"

namespace routevpn::doctor {

// In the network namespace of the calling thread, without standard input, and without a shell. None
// if no directory of the system's programs has it. Kills it after `limit`. Throws SystemError.
std::optional<ProgramResult> run_program(const std::vector<std::string>& words,
                                         std::chrono::milliseconds limit);

}  // namespace routevpn::doctor
