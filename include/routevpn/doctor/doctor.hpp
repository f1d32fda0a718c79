// `routevpn doctor`: what is wrong with this gateway. Each check is a function that reads the
// gateway's links and its machine, and appends what it has found.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/doctor/finding.hpp"
#include "routevpn/doctor/machine.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::doctor {

struct Link {
  std::string name;  // of its file CONFIG-DIR/NAME.conf and of its unit routevpn@NAME
  std::string file;
  options::LinkOptions options;          // with faults: only what was accepted
  std::vector<std::string> faults = {};  // of the file, one line each
  nlohmann::json status = nullptr;       // as `routevpn show --json` prints it; null: none answers
};

struct Gateway {
  std::vector<Link> links;
  std::string config_dir = "/etc/routevpn";
};

using Check = void (*)(const Gateway& gateway, const Machine& machine, Findings& findings);

// network.cpp
void check_namespaces(const Gateway& gateway, const Machine& machine, Findings& findings);
void check_forwarding(const Gateway& gateway, const Machine& machine, Findings& findings);
void check_reverse_path(const Gateway& gateway, const Machine& machine, Findings& findings);
// path.cpp
void check_path_mtu(const Gateway& gateway, const Machine& machine, Findings& findings);
// firewall.cpp: rules that certainly drop what comes to the port of an acceptor.
void check_firewall(const Gateway& gateway, const Machine& machine, Findings& findings);
// clock.cpp
void check_clock(const Gateway& gateway, const Machine& machine, Findings& findings);
// certificates.cpp
void check_certificates(const Gateway& gateway, const Machine& machine, Findings& findings);
// links.cpp
void check_configuration(const Gateway& gateway, const Machine& machine, Findings& findings);
void check_running(const Gateway& gateway, const Machine& machine, Findings& findings);
void check_peer(const Gateway& gateway, const Machine& machine, Findings& findings);
void check_takeovers(const Gateway& gateway, const Machine& machine, Findings& findings);
// bird.cpp
void check_bird(const Gateway& gateway, const Machine& machine, Findings& findings);
// kernel.cpp
void check_kernel(const Gateway& gateway, const Machine& machine, Findings& findings);

std::span<const Check> checks();  // all of them
Findings examine(const Gateway& gateway, const Machine& machine);

}  // namespace routevpn::doctor
