// System calls that an intruder in a worker would try. A confined worker is refused each of them.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace routevpn::test::attempts {

struct Attempt {
  std::string what;
  long number;
  std::array<long, 6> arguments{};
};

template <typename T>
long argument(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

// The parent of the calling process is their target. Make the lists before the process is confined.
std::vector<Attempt> on_files();
std::vector<Attempt> on_sockets();
std::vector<Attempt> on_processes();
std::vector<Attempt> on_privileges();
std::vector<Attempt> on_executable_memory();

}  // namespace routevpn::test::attempts
