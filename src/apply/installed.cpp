#include "installed.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/options/link_table.hpp"

#include "issue_time.hpp"

namespace routevpn::apply {

namespace {

using Faults = std::vector<std::string>;

// The words of each line of output: `systemctl is-active A B` prints one line per unit.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

host::ProgramEnd systemctl(Machine& machine, Words words) {
  words.insert(words.begin(), "systemctl");
  auto ended = machine.run(words);
  if (!ended) throw UsageError("systemctl: is not installed; routevpn apply needs systemd");
  return std::move(*ended);
}

class Reader {
 public:
  Reader(const GatewayPlan& plan, const std::string& root, Machine& machine, Faults& faults)
      : plan_(plan), root_(root), machine_(machine), faults_(faults) {}

  Installed run() {
    read_manifest();
    check_directories();
    for (const auto& file : plan_.files) read_file_at(file.path, file.mode);
    for (const auto& [path, hashes] : installed_.manifest.files) {
      if (plan_.file(path) == nullptr) read_file_at(path, std::nullopt);
    }
    for (const auto& unit : plan_.units) {
      for (const auto& path : unit.reads) {
        if (plan_.file(path) == nullptr) read_file_at(path, std::nullopt);
      }
    }
    read_planned_units();
    read_removed_units();
    read_debian_bird();
    read_active();
    check_namespaces();
    check_interfaces();
    return std::move(installed_);
  }

 private:
  template <typename Step>
  void collect(Step step) {
    try {
      step();
    } catch (const UsageError& error) {
      faults_.emplace_back(error.what());
    }
  }

  void read_manifest() {
    const auto path = root_ + std::string(manifest_path);
    if (!exists(path)) return;
    collect([&] {
      installed_.manifest =
          parse_manifest(read_file(path, Trust::unaltered, 16 * max_file_bytes), path);
    });
  }

  void check_directories() {
    for (const auto directory :
         {config_dir, pki_dir, psk_dir, bird_dir, netns_dir, exporter_dir, state_dir}) {
      const auto path = root_ + std::string(directory);
      if (exists(path)) collect([&] { require_trusted_directory(path); });
    }
  }

  // `mode`: what it should be; none: any.
  void read_file_at(const std::string& path, std::optional<mode_t> mode) {
    const auto at = root_ + path;
    struct stat status {};
    if (::stat(at.c_str(), &status) != 0) return;
    collect([&] {
      const auto content = read_file(at);
      InstalledFile file{hash_of(content), true, issue_time(path, content)};
      const bool owned = fault_of_file(status, at, Trust::unaltered).empty();
      file.sound = !mode || (owned && (status.st_mode & 07777) == *mode);
      installed_.files[path] = file;
    });
  }

  void read_planned_units() {
    Words question = {"is-enabled", std::string(target)};
    for (const auto& unit : plan_.units) question.push_back(unit.name);
    const auto answer = systemctl(machine_, question);
    const auto words = lines_of(answer.out);
    if (words.size() != question.size() - 1) {
      faults_.push_back("systemctl is-enabled: " + one_line(answer.err) +
                        "; the units come with the package routevpn");
      return;
    }
    installed_.target_enabled = words.front().starts_with("enabled");
    for (std::size_t i = 1; i < words.size(); ++i) {
      const auto& unit = question[i + 1];
      if (words[i].starts_with("masked") || words[i] == "not-found") {
        faults_.push_back(unit + ": is " + words[i] +
                          (words[i] == "not-found" ? "; the units come with the package routevpn"
                                                   : "; systemctl unmask " + unit));
      }
      // A static unit has nothing to enable.
      installed_.units[unit].enabled = words[i].starts_with("enabled") || words[i] == "static";
    }
  }

  // Units that apply has enabled in an earlier run. Their template may be gone.
  void read_removed_units() {
    for (const auto& [unit, in_force] : installed_.manifest.units) {
      if (plan_.unit(unit) != nullptr) continue;
      const auto answer = systemctl(machine_, {"is-enabled", unit});
      installed_.units[unit].enabled = answer.out.starts_with("enabled");
      read_ports(unit);
    }
  }

  void read_debian_bird() {
    const auto is_bird = [](const auto& unit) { return unit.kind == PlannedUnit::Kind::bird; };
    if (std::ranges::none_of(plan_.units, is_bird)) return;
    const std::string unit(debian_bird);
    const auto answer = systemctl(machine_, {"is-enabled", unit});
    installed_.units[unit].enabled = answer.out.starts_with("enabled");
    const auto conf = text_of("/etc/bird/bird.conf");
    installed_.debian_bird_configured = conf && conf != text_of("/usr/share/bird2/bird.conf") &&
                                        conf != text_of("/usr/share/bird3/bird.conf");
  }

  [[nodiscard]] std::optional<std::string> text_of(const std::string& path) const {
    try {
      return read_file(root_ + path);
    } catch (const UsageError&) {
      return std::nullopt;
    }
  }

  void read_ports(const std::string& unit) {
    constexpr std::string_view prefix = "routevpn@";
    constexpr std::string_view suffix = ".service";
    if (!unit.starts_with(prefix) || !unit.ends_with(suffix)) return;
    const auto link = unit.substr(prefix.size(), unit.size() - prefix.size() - suffix.size());
    const auto conf = root_ + std::string(config_dir) + link + ".conf";
    try {
      const auto options = options::from_config(read_file(conf));
      if (!options.listen) return;
      installed_.ports[unit] = {options.listen->port, options.listen->port + options.lanes - 1};
    } catch (const UsageError&) {
      // The file has gone or is not a link's: then its ports are not known, and it is stopped
      // later.
    }
  }

  void read_active() {
    Words question = {"is-active"};
    for (const auto& [unit, state] : installed_.units) question.push_back(unit);
    if (question.size() == 1) return;
    const auto answer = systemctl(machine_, question);
    const auto words = lines_of(answer.out);
    if (words.size() != installed_.units.size()) {
      throw SystemError("systemctl is-active: has printed " + std::to_string(words.size()) +
                        " lines for " + std::to_string(installed_.units.size()) +
                        " units: " + one_line(answer.err));
    }
    auto word = words.begin();
    for (auto& [unit, state] : installed_.units) {
      state.active = *word == "active" || *word == "reloading";
      ++word;
    }
  }

  // src/systemd/netns refuses a namespace that it did not make: it has a file for each of its own.
  void check_namespaces() {
    for (const auto& unit : plan_.units) {
      const auto& name = unit.instance;
      if (unit.kind != PlannedUnit::Kind::netns || installed_.units[unit.name].active) continue;
      if (!exists(root_ + "/run/netns/" + name)) continue;
      if (name == "public" || exists(root_ + "/run/routevpn/netns/" + name)) continue;
      std::string fault = "the network namespace " + name + " exists, and ";
      fault += unit.name;
      fault += " did not make it: 'ip netns del ";
      fault += name;
      fault += "' removes it";
      faults_.push_back(std::move(fault));
    }
  }

  // The host does not see an interface that is in a namespace already. In a container,
  // /sys/class/net may be that of another network namespace; /proc/net/dev is that of the process.
  void check_interfaces() {
    std::set<std::string> interfaces;
    std::ifstream devices(root_ + "/proc/net/dev");
    for (std::string line; std::getline(devices, line);) {
      const auto name = line.substr(0, line.find(':'));
      interfaces.insert(name.substr(std::min(name.size(), name.find_first_not_of(' '))));
    }
    for (const auto& unit : plan_.units) {
      const bool is_there = exists(root_ + "/run/netns/" + unit.instance);
      if (is_there || installed_.units[unit.name].active) continue;
      for (const auto& interface : unit.interfaces) {
        if (interfaces.contains(interface)) continue;
        faults_.push_back(plan_.file(unit.conf)->source + ": interface = " + interface +
                          ": does not exist on this machine");
      }
    }
  }

  const GatewayPlan& plan_;
  const std::string& root_;
  Machine& machine_;
  Faults& faults_;
  Installed installed_;
};

}  // namespace

std::string one_line(const std::string& text) {
  std::string line;
  for (const auto& part : lines_of(text)) {
    if (!part.empty()) line.append(line.empty() ? "" : "; ").append(part);
  }
  return line;
}

Installed read_installed(const GatewayPlan& plan, const std::string& root, Machine& machine,
                         Faults& faults) {
  return Reader(plan, root, machine, faults).run();
}

}  // namespace routevpn::apply
