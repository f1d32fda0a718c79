// A gateway without a fault, and the machine on which it runs. A test breaks one thing of it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "routevpn/doctor/doctor.hpp"

#include "test_pki.hpp"

namespace routevpn::test {

class FakeMachine final : public doctor::Machine {
 public:
  FakeMachine();

  std::map<std::string, std::string> files;
  std::map<std::pair<std::string, std::string>, std::string> sysctls;  // by namespace and path
  std::set<std::string> missing_spaces;
  std::map<std::string, doctor::ProgramResult> programs;  // by all words
  std::map<std::string, pki::TimePoint> changes;          // of files
  pki::TimePoint wall = pki::now();
  doctor::ClockState clock_state = doctor::ClockState::synchronised;
  std::string release = "6.12.1-amd64";

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] bool has(const std::string& path) const override { return files.contains(path); }
  [[nodiscard]] bool has_netns(const std::string& netns) const override {
    return !missing_spaces.contains(netns);
  }
  [[nodiscard]] std::optional<std::string> sysctl(const std::string& netns,
                                                  const std::string& path) const override;
  [[nodiscard]] std::optional<doctor::ProgramResult> run(const std::string& netns,
                                                         const Words& words) const override;
  [[nodiscard]] pki::TimePoint now() const override { return wall; }
  [[nodiscard]] doctor::ClockState clock() const override { return clock_state; }
  [[nodiscard]] std::string kernel_release() const override { return release; }
  [[nodiscard]] std::optional<pki::TimePoint> changed(const std::string& path) const override;
};

// The links rv1, an initiator, and rv2, an acceptor at port 7754: in the namespace "private", up,
// with sessions of BIRD.
doctor::Gateway sound_gateway();

// The findings of all checks.
doctor::Findings findings_of(const doctor::Gateway& gateway, const FakeMachine& machine);
// The only finding, which is of this check.
doctor::Finding only(const doctor::Findings& findings, const std::string& check);

inline const std::string birdc = "birdc -r -s /run/routevpn/bird/private.ctl show protocols all";
// What birdc prints of one session.
std::string bird_session(const std::string& name, const std::string& neighbor,
                         const std::string& state, int exported4, int exported6);
// A ruleset with one input chain of this policy and these rules, each the text of its `expr`.
std::string ruleset(const std::string& policy, const std::vector<std::string>& rules);

struct Certificates {
  TestCa ca;
  Issued own = ca.issue({"V1-1"});
};
const Certificates& certificates();

}  // namespace routevpn::test
