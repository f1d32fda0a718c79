// `routevpn apply`: makes the machine agree with one gateway's planned directory.
//
// 1. The directory is read and checked, and BIRD checks its files.
// 2. decide() compares it with the installed files, the manifest and the running units.
// 3. The steps are carried out one by one. A fault ends the run: what ran before still runs, and
// the
//    next run continues, because the manifest has every file and unit that apply has touched.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "routevpn/apply/machine.hpp"
#include "routevpn/apply/steps.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::apply {

struct ApplyRequest {
  std::string directory;
  bool dry_run = false;
  bool force = false;
  std::string root = "/";
  std::chrono::milliseconds timeout{60000};  // of each wait for a link; zero: no wait
};

class Run {
 public:
  // Reads, checks and decides; changes nothing but the state directory, which it makes and locks
  // unless this is a dry run. Throws UsageError; SystemError also if another apply runs.
  Run(const ApplyRequest& request, Machine& machine);

  // With faults there are no steps.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] const std::string& gateway() const { return plan_.gateway; }
  // One line per object of each step: "install /etc/routevpn/rv2-1.conf".
  [[nodiscard]] std::vector<std::string> lines() const;
  // Calls `done` when the next of the lines has been done. Throws SystemError at the first fault.
  void carry_out(const std::function<void()>& done);

 private:
  void check_bird();
  void lock();

  const ApplyRequest& request_;
  Machine& machine_;
  std::string root_;  // without a final '/'
  std::vector<std::string> faults_;
  std::vector<std::string> warnings_;
  Fd lock_;
  GatewayPlan plan_;
  Manifest manifest_;  // before the run
  Decision decision_;
};

}  // namespace routevpn::apply
