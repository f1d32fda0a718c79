#include "gateway.hpp"

#include <fstream>
#include <iterator>

#include "routevpn/base/error.hpp"

#include "catch.hpp"

namespace routevpn::apply {

namespace {

namespace fs = std::filesystem;

std::string joined(const Words& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms{mode});
}

std::string link_text(const std::string& link, unsigned port) {
  const auto number = std::to_string(port);
  return "peer = 192.0.2.2:" + number + "\nlisten = 192.0.2.1:" + number + "\npeer-name = V" +
         link.substr(2) + "\nifname = " + link +
         "\nnetns = private\ncert = /etc/routevpn/pki/V1-1.cert\n"
         "key = /etc/routevpn/pki/V1-1.key\nca = /etc/routevpn/pki/ca.cert\n"
         "psk = /etc/routevpn/psk/" +
         link + ".psk\n";
}

}  // namespace

std::optional<host::ProgramEnd> FakeMachine::run(const Words& words) {
  const auto& program = words.front();
  if (program == "systemctl") return systemctl({words.begin() + 1, words.end()});
  if (!has_bird) return std::nullopt;
  if (program == "birdc") return birdc(words);
  return host::ProgramEnd{bird_fault.empty() ? 0 : 1, "", bird_fault};
}

host::ProgramEnd FakeMachine::systemctl(const Words& words) {
  if (words[0] != "is-active" && words[0] != "is-enabled") return change(words);
  if (!installed && words[0] == "is-enabled") {
    return {1, "", "Failed to get unit file state for routevpn.target: No such file or directory"};
  }
  std::string out;
  for (auto unit = words.begin() + 1; unit != words.end(); ++unit) {
    if (words[0] == "is-active") {
      out += active.contains(*unit) ? "active\n" : "inactive\n";
    } else {
      out += masked.contains(*unit)    ? "masked\n"
             : enabled.contains(*unit) ? "enabled\n"
                                       : "disabled\n";
    }
  }
  return {3, out, ""};
}

host::ProgramEnd FakeMachine::change(const Words& words) {
  if (words[0] == "reset-failed") {
    return failed.erase(words[1]) == 1 ? host::ProgramEnd{0, "", ""}
                                       : host::ProgramEnd{1, "", "Unit is not loaded\n"};
  }
  const auto command = joined(words);
  commands.push_back(command);
  if (command == failing) return {1, "", "Job for it failed\nSee the journal\n"};
  const auto& unit = words.back();
  if (words[0] == "enable") enabled.insert(words.begin() + 1, words.end());
  if (words[0] == "start" || words[0] == "restart") active.insert(unit);
  if (words[0] == "disable") {
    active.erase(unit);
    enabled.erase(unit);
  }
  return {0, "", ""};
}

host::ProgramEnd FakeMachine::birdc(const Words& words) {
  if (words.back() == "configure") {
    commands.push_back("birdc " + fs::path(words[2]).filename().string() + " configure");
    if (commands.back() == failing) return {0, "private.conf:3:1 syntax error\n", ""};
    return {0, "Reconfigured\n", ""};
  }
  const auto& session = words.back();
  return {0,
          session + " BGP --- up 12:00 " +
              (established.contains(session) ? "Established\n" : "Connect\n"),
          ""};
}

bool FakeMachine::is_up(const std::string& run_dir, const std::string& link) {
  if (!run_dir.ends_with("/root/run/routevpn")) throw SystemError("no such directory: " + run_dir);
  return up.contains(link);
}

std::optional<host::CommandSocket::Answer> FakeMachine::reload(const std::string& run_dir,
                                                               const std::string& link) {
  if (!run_dir.ends_with("/root/run/routevpn")) return std::nullopt;
  commands.push_back("reload link " + link);
  if (commands.back() == failing) return host::CommandSocket::Answer{false, {"the key is wrong"}};
  return host::CommandSocket::Answer{};
}

Gateway::Gateway(const std::set<std::string>& links) {
  write_plan("pki/ca.cert", ca_.certificate());
  issue();
  write_plan("netns/private.conf", "interface = eth1\naddress = 10.0.1.11/24\n");
  write_machine("/proc/net/dev",
                "Inter-|   Receive                |  Transmit\n"
                " face |bytes    packets errs drop|bytes    packets errs drop\n"
                "    lo:       0       0    0    0        0       0    0    0\n"
                "  eth1:    7604     100    0    0     7604     100    0    0\n");
  set_links(links);
}

void Gateway::write_plan(const std::string& path, const std::string& text, unsigned mode) const {
  write_text(plan_at(path), text, mode);
}

void Gateway::write_machine(const std::string& path, const std::string& text) const {
  write_text(on_machine(path), text, 0644);
}

std::string Gateway::text_on_machine(const std::string& path) const {
  std::ifstream in(on_machine(path));
  return {std::istreambuf_iterator<char>(in), {}};
}

void Gateway::issue(const std::string& name) {
  const auto issued = ca_.issue({.name = name});
  write_plan("pki/V1-1.cert", issued.certificate);
  write_plan("pki/V1-1.key", issued.key, 0600);
}

// The third character of a link's name chooses its port, so that a link keeps it.
void Gateway::set_links(const std::set<std::string>& links) const {
  fs::remove_all(plan_at("links"));
  fs::remove_all(plan_at("psk"));
  std::string units = "routevpn-netns@private.service\nroutevpn-bird@private.service\n";
  std::string bird = "router id 0.0.1.1;\n";
  for (const auto& link : links) {
    const auto index = static_cast<unsigned>(link[2] - '0');
    write_plan("links/" + link + ".conf", link_text(link, 10000 + index));
    write_plan("psk/" + link + ".psk", test::psk_line(static_cast<std::uint8_t>(index)), 0600);
    units += "routevpn@" + link + ".service\n";
    bird.append("protocol bgp IBGP_").append(link).append(" from IBGP {\n  interface \"");
    bird.append(link).append("\";\n}\n");
  }
  write_plan("units", units);
  write_plan("bird/private.conf", bird);
}

void Gateway::add_to_link(const std::string& link, const std::string& lines) const {
  std::ofstream(plan_at("links/" + link + ".conf"), std::ios::app) << lines;
}

ApplyRequest Gateway::request() const {
  ApplyRequest request;
  request.directory = scratch_.path() + "/V1-1";
  request.root = root();
  return request;
}

Applied apply_to(Gateway& gateway, const ApplyRequest& request) {
  Applied applied;
  Run run(request, gateway.machine);
  applied.faults = run.faults();
  applied.warnings = run.warnings();
  const auto lines = run.lines();
  if (!applied.faults.empty()) return applied;
  if (request.dry_run) {
    applied.done = lines;
    return applied;
  }
  try {
    run.carry_out([&] { applied.done.push_back(lines.at(applied.done.size())); });
  } catch (const SystemError& error) {
    applied.status = 1;
    const auto at = applied.done.size() < lines.size() ? lines[applied.done.size()] : "the end";
    applied.stopped = at + ": " + error.what();
  }
  return applied;
}

std::string fault_of(Gateway& gateway) {
  const auto applied = apply_to(gateway);
  CHECK(applied.done.empty());
  CHECK(gateway.machine.take_commands().empty());
  CAPTURE(applied.faults);
  REQUIRE(applied.faults.size() == 1);
  return applied.faults[0];
}

}  // namespace routevpn::apply
