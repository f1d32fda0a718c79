// The command line: a command with its options.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "routevpn/apply/run.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/pki/psk.hpp"
#include "routevpn/plan/run.hpp"

namespace routevpn::cli {

struct RunLink {
  options::LinkOptions options;
  std::vector<std::string> arguments;  // that gave the options, for a reload
};

struct CheckLink {
  options::LinkOptions options;  // with faults: only what was accepted
};

enum class LinkState : std::uint8_t { up, down };  // down: every state that is not up

struct ShowLinks {
  std::vector<std::string> links;  // empty: all
  bool json = false;
  bool prometheus = false;
  bool brief = false;
  bool history = false;
  bool watch = false;
  std::optional<LinkState> wait;
  std::optional<std::chrono::milliseconds> timeout;  // none: no limit
  std::string run_dir = default_run_dir;
  // Of links that may not run. None: only if run_dir is the default.
  std::optional<std::string> config_dir;

  static constexpr auto default_run_dir = "/run/routevpn";
  static constexpr auto default_config_dir = "/etc/routevpn";
};

struct ReloadLinks {
  std::vector<std::string> links;  // empty: all
  std::string run_dir = "/run/routevpn";
};

struct ExamineGateway {
  std::vector<std::string> links;  // names of configuration files; empty: all
  bool json = false;
  std::string config_dir = "/etc/routevpn";
  std::optional<std::string> run_dir;  // none: that of each link's file
};

struct ListCertificates {
  std::string directory = ".";
  bool json = false;
};

using PkiCommand =
    std::variant<pki::AuthorityOrder, pki::RequestOrder, pki::SignOrder, pki::RenewOrder,
                 pki::RevocationListOrder, pki::RevokeOrder, ListCertificates, pki::PskOrder>;

// Help, a version or a completion script.
struct PrintText {
  std::string text;
};

using Command = std::variant<RunLink, CheckLink, ShowLinks, ReloadLinks, ExamineGateway, PkiCommand,
                             plan::PlanRequest, apply::ApplyRequest, PrintText>;

struct CommandLine {
  Command command;
  std::vector<std::string> faults = {};    // one line each; with any, only a CheckLink may run
  std::vector<std::string> warnings = {};  // one line each, for the log
};

// Reads the configuration file too. `arguments` do not include the program's name.
CommandLine parse_command_line(std::span<const std::string> arguments);

}  // namespace routevpn::cli
