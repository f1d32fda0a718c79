// What the checks read of the machine. Tests give them a machine of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/pki/time.hpp"

namespace routevpn::doctor {

struct ProgramResult {
  int status = 0;      // as host::ProgramEnd has it; -1: it did not end in time
  std::string output;  // standard output
};

enum class ClockState : std::uint8_t { synchronised, unsynchronised, unknown };

class Machine {
 public:
  using Words = std::vector<std::string>;

  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // None if the file cannot be read.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) const = 0;
  [[nodiscard]] virtual bool has(const std::string& path) const = 0;
  [[nodiscard]] virtual bool has_netns(const std::string& netns) const = 0;
  // Below /proc/sys/net of that network namespace; `netns` as in a link's options, empty: the one
  // of the command. None if there is no such namespace or value.
  [[nodiscard]] virtual std::optional<std::string> sysctl(const std::string& netns,
                                                          const std::string& path) const = 0;
  // Runs a program of the machine in that network namespace. None if the program or the namespace
  // does not exist.
  [[nodiscard]] virtual std::optional<ProgramResult> run(const std::string& netns,
                                                         const Words& words) const = 0;
  [[nodiscard]] virtual pki::TimePoint now() const = 0;
  [[nodiscard]] virtual ClockState clock() const = 0;
  [[nodiscard]] virtual std::string kernel_release() const = 0;  // 6.1.0-13-amd64
  [[nodiscard]] virtual std::optional<pki::TimePoint> changed(const std::string& path) const = 0;
};

}  // namespace routevpn::doctor
