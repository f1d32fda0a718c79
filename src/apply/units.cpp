#include "units.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <sstream>
#include <utility>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/options/config_file.hpp"
#include "routevpn/options/parse_link.hpp"
#include "routevpn/plan/topology.hpp"

#include "netns_file.hpp"

namespace routevpn::apply {

namespace {

using Kind = PlannedUnit::Kind;
using Faults = std::vector<std::string>;

constexpr std::string_view suffix = ".service";

struct KindName {
  Kind kind;
  std::string_view prefix;
  std::string_view directory;
};
constexpr std::array kinds = {
    KindName{Kind::netns, "routevpn-netns@", netns_dir},
    KindName{Kind::bird, "routevpn-bird@", bird_dir},
    KindName{Kind::link, "routevpn@", config_dir},
    KindName{Kind::exporter, "routevpn-exporter@", exporter_dir},
};

// A name that stands in a unit's name and in a path without escapes (systemd.unit(5)).
bool is_instance(const std::string& name) {
  const auto is_allowed = [](char c) { return is_interface_character(c); };
  return name.front() != '.' && name.front() != '-' && std::ranges::all_of(name, is_allowed);
}

std::optional<PlannedUnit> parse_unit(const std::string& line) {
  for (const auto& [kind, prefix, directory] : kinds) {
    if (!line.starts_with(prefix) || !line.ends_with(suffix)) continue;
    if (line.size() <= prefix.size() + suffix.size()) break;
    const auto instance = line.substr(prefix.size(), line.size() - prefix.size() - suffix.size());
    if (!is_instance(instance)) break;
    auto conf = std::string(directory).append(instance).append(".conf");
    return PlannedUnit{kind, line, instance, std::move(conf), {}, {}, {}};
  }
  return std::nullopt;
}

// FILE:LINE of an option with this value, or FILE.
std::string place_of(const options::Settings& settings, const PlannedFile& file,
                     std::string_view name, const std::string& value) {
  for (const auto& setting : settings.settings) {
    if (setting.name == name && setting.value == value) return setting.place();
  }
  return file.source + ": ";
}

// The link must read its credentials where apply installs them.
void check_paths(PlannedUnit& unit, const PlannedFile& file, Faults& faults) {
  const auto settings = options::parse_config(file.content, file.source);
  const auto check = [&](std::string_view name, const std::string& path, std::string_view directory,
                         std::string_view ending) {
    const bool inside = path.starts_with(directory) && path.ends_with(ending) &&
                        path.find('/', directory.size()) == std::string::npos;
    if (inside) {
      unit.reads.push_back(path);
      return;
    }
    auto text = place_of(settings, file, name, path).append(name).append(" = ").append(path);
    text.append(": must be ").append(directory).append("NAME").append(ending);
    faults.push_back(std::move(text));
  };
  const auto& options = unit.options;
  check("cert", options.certificate, pki_dir, ".cert");
  check("key", options.key, pki_dir, ".key");
  check("ca", options.ca, pki_dir, ".cert");
  if (!options.crl.empty()) check("crl", options.crl, pki_dir, ".crl");
  for (const auto& psk : options.psk) check("psk", psk, psk_dir, ".psk");
}

std::string usual_psk(const PlannedUnit& unit) {
  return std::string(psk_dir).append(unit.instance).append(".psk");
}

void read_link(PlannedUnit& unit, const PlannedFile& file, Faults& faults) {
  const std::array<std::string, 2> arguments = {"--config", file.source};
  auto parsed = options::parse_link(arguments);
  if (!parsed.faults.empty()) {
    faults.insert(faults.end(), parsed.faults.begin(), parsed.faults.end());
    return;
  }
  unit.options = std::move(parsed.options);
  // A reload takes --psk, and the prefixes of --accept, but not with `routed` (monitor/reload.cpp).
  // The words of the file are compared, not all options: a default that a later version changes
  // restarts no link.
  const bool routed = unit.options.accepts_routed();
  for (const auto& setting : options::parse_config(file.content, file.source).settings) {
    const bool is_psk = setting.name == "psk";
    const bool reloads = is_psk || (setting.name == "accept" && !routed);
    auto& text = reloads ? unit.reloadable : unit.settings;
    text.append(setting.name).append("=").append(*setting.value).append("\n");
    // A reload takes other PSK files, but no first PSK: the settings have one usual line.
    const bool is_first = is_psk && *setting.value == unit.options.psk.front();
    if (is_first) unit.settings.append("psk=").append(usual_psk(unit)).append("\n");
  }
  check_paths(unit, file, faults);
}

void read_exporter(PlannedUnit& unit, const GatewayPlan& plan, const PlannedFile& file,
                   Faults& faults) {
  constexpr std::string_view variable = "ROUTEVPN_EXPORTER_OPTIONS=";
  std::istringstream in(file.content);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  }
  if (lines.size() != 1 || !lines.front().starts_with(variable)) {
    faults.push_back(file.source + ": must have one line, " + std::string(variable) + "OPTIONS");
  }
  const auto* const topology = plan.file(exporter_topology);
  if (topology == nullptr) {
    faults.push_back(file.source + ": the plan has no file for " + std::string(exporter_topology));
    return;
  }
  unit.settings = file.content + topology->content;
  routevpn::plan::Faults in_topology;
  (void)routevpn::plan::parse_topology(topology->content, in_topology);
  for (const auto& [line, text] : in_topology) {
    auto& fault = faults.emplace_back(topology->source + ":");
    fault += std::to_string(line) + ": " + text;
  }
}

std::string stem_of(const std::string& path) {
  return std::filesystem::path(path).stem();
}

void check_gateway(GatewayPlan& plan, Faults& faults) {
  for (const auto& unit : plan.units) {
    if (unit.kind != Kind::link) continue;
    auto name = stem_of(unit.options.certificate);
    if (plan.gateway.empty())
      plan.gateway = std::move(name);
    else if (plan.gateway != name) {
      auto text = plan.file(unit.conf)->source + ": cert is of the gateway ";
      text.append(name).append(", and that of the links before it is of ").append(plan.gateway);
      faults.push_back(std::move(text));
    }
  }
}

}  // namespace

std::vector<PlannedUnit> parse_units(std::string_view text, const std::string& path,
                                     Faults& faults) {
  std::vector<PlannedUnit> units;
  std::istringstream in{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto place = path + ":" + std::to_string(number) + ": ";
    auto unit = parse_unit(line);
    if (!unit) {
      faults.push_back(place + line +
                       ": must be routevpn-netns@NAME.service, routevpn-bird@NAME.service, "
                       "routevpn@LINK.service or routevpn-exporter@NAME.service");
    } else if (std::ranges::find(units, line, &PlannedUnit::name) != units.end()) {
      faults.push_back(place + line + ": is there twice");
    } else {
      units.push_back(std::move(*unit));
    }
  }
  return units;
}

void complete_units(GatewayPlan& plan, const std::string& path, Faults& faults) {
  for (auto& unit : plan.units) {
    const auto* const file = plan.file(unit.conf);
    if (file == nullptr) {
      faults.push_back(path + ": " + unit.name + ": the plan has no file for " + unit.conf);
    } else if (unit.kind == Kind::link) {
      read_link(unit, *file, faults);
    } else if (unit.kind == Kind::exporter) {
      read_exporter(unit, plan, *file, faults);
    } else {
      unit.reloadable = file->content;
      if (unit.kind != Kind::netns) continue;
      unit.interfaces = interfaces_of_namespace(file->content, file->source, unit.instance, faults);
    }
  }
  for (const auto& file : plan.files) {
    for (const auto& [kind, prefix, directory] : kinds) {
      const bool is_conf = directory_of(file.path) == directory && file.path.ends_with(".conf");
      if (kind == Kind::bird || !is_conf) continue;
      const auto name = std::string(prefix).append(stem_of(file.path)).append(suffix);
      if (plan.unit(name) == nullptr) {
        auto fault = path;
        fault.append(": has no line ").append(name).append(" for ").append(file.source);
        faults.push_back(std::move(fault));
      }
    }
  }
  if (faults.empty()) check_gateway(plan, faults);
  const auto* const bird = plan.file(std::string(bird_dir) + plan.netns + ".conf");
  if (bird == nullptr || plan.netns.empty()) return;
  for (auto& unit : plan.units) {
    if (unit.kind == Kind::link) unit.session = session_over(bird->content, unit.options.ifname);
  }
}

}  // namespace routevpn::apply
