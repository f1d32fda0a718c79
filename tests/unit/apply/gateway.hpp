// A planned directory of the gateway V1-1 and an empty machine for it, in scratch directories.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "routevpn/apply/run.hpp"

#include "test_pki.hpp"

namespace routevpn::apply {

using Lines = std::vector<std::string>;

// systemd, BIRD and the links, as far as apply looks at them. Each command that changes something
// is in `commands`.
class FakeMachine final : public Machine {
 public:
  std::optional<host::ProgramEnd> run(const Words& words) override;
  bool is_up(const std::string& run_dir, const std::string& link) override;
  std::optional<host::CommandSocket::Answer> reload(const std::string& run_dir,
                                                    const std::string& link) override;
  std::optional<std::string> signal() override {
    if (commands.empty() || commands.back() != signal_after) return std::nullopt;
    return "SIGTERM";
  }
  Time now() override { return now_; }
  void pause(Duration length) override {
    now_ += length;
    if (on_pause) on_pause();
  }

  // What was done since the last call.
  Lines take_commands() { return std::exchange(commands, {}); }

  Lines commands;
  std::set<std::string> active;
  std::set<std::string> enabled;
  std::set<std::string> masked;
  std::set<std::string> failed;
  std::set<std::string> up;           // links
  std::set<std::string> established;  // BGP protocols
  std::string failing;                // the command that fails, as in `commands`
  std::string signal_after;           // comes when this is the last command
  std::string bird_fault;             // what `bird -p` finds
  bool has_bird = true;
  bool installed = true;  // the units of the package
  std::function<void()> on_pause;

 private:
  host::ProgramEnd systemctl(const Words& words);
  host::ProgramEnd change(const Words& words);
  host::ProgramEnd birdc(const Words& words);

  Time now_{};
};

class Gateway {
 public:
  // Links rv2-1 and rv3-1 by default.
  explicit Gateway(const std::set<std::string>& links = {"rv2-1", "rv3-1"});

  [[nodiscard]] std::string plan_at(const std::string& path) const {
    return scratch_.path() + "/V1-1/" + path;
  }
  [[nodiscard]] std::string root() const { return scratch_.path() + "/root"; }
  [[nodiscard]] std::string on_machine(const std::string& path) const { return root() + path; }
  [[nodiscard]] std::string text_on_machine(const std::string& path) const;
  [[nodiscard]] ApplyRequest request() const;

  void write_plan(const std::string& path, const std::string& text, unsigned mode = 0644) const;
  void write_machine(const std::string& path, const std::string& text) const;
  // Links, BIRD's file and the units, for these links.
  void set_links(const std::set<std::string>& links) const;
  void add_to_link(const std::string& link, const std::string& lines) const;
  void issue(const std::string& name = "V1-1");  // a new certificate and key in the plan

  FakeMachine machine;

 private:
  test::TempDir scratch_;
  test::TestCa ca_;
};

// One run: its lines "done: ..." and faults, or how it stopped.
struct Applied {
  int status = 0;
  Lines done;
  Lines faults;
  Lines warnings;
  std::string stopped;  // LINE: REASON
};
Applied apply_to(Gateway& gateway, const ApplyRequest& request);
inline Applied apply_to(Gateway& gateway) {
  return apply_to(gateway, gateway.request());
}

// The only fault of a run that changes nothing.
std::string fault_of(Gateway& gateway);

}  // namespace routevpn::apply
