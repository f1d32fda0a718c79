// The machine on which the command runs.
#pragma once

#include "routevpn/doctor/machine.hpp"

namespace routevpn::doctor {

class HostMachine final : public Machine {
 public:
  // A program that takes longer is killed.
  static constexpr std::chrono::seconds time_limit{5};

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] bool has(const std::string& path) const override;
  [[nodiscard]] bool has_netns(const std::string& netns) const override;
  [[nodiscard]] std::optional<std::string> sysctl(const std::string& netns,
                                                  const std::string& path) const override;
  [[nodiscard]] std::optional<ProgramResult> run(const std::string& netns,
                                                 const Words& words) const override;
  [[nodiscard]] pki::TimePoint now() const override { return pki::now(); }
  [[nodiscard]] ClockState clock() const override;
  [[nodiscard]] std::string kernel_release() const override;
  [[nodiscard]] std::optional<pki::TimePoint> changed(const std::string& path) const override;
};

}  // namespace routevpn::doctor
