// The whole command line: which command, with what.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "routevpn/options/link_options.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/plan/run.hpp"

namespace routevpn::cli {

using namespace options;

struct RunLink {
  LinkOptions options;
};

struct CheckLink {
  LinkOptions options;  // what could be understood, when there are faults
};

enum class LinkState : std::uint8_t { up, down };  // down: not up

struct ShowLinks {
  std::vector<std::string> links;  // empty: all
  bool json = false;
  bool watch = false;
  std::optional<LinkState> wait;
  std::optional<std::chrono::milliseconds> timeout;  // none: for ever
  std::string run_dir = "/run/routevpn";
};

struct ListCertificates {
  std::string directory = ".";
  bool json = false;
};

using PkiCommand = std::variant<pki::AuthorityOrder, pki::RequestOrder, pki::SignOrder,
                                pki::RevokeOrder, ListCertificates>;

struct Help {
  std::string text;
};

struct Version {};

using Command =
    std::variant<RunLink, CheckLink, ShowLinks, PkiCommand, plan::PlanRequest, Help, Version>;

struct CommandLine {
  Command command;
  std::vector<std::string> faults;    // one line each; only a CheckLink may be run with any
  std::vector<std::string> warnings;  // one line each, to be logged
};

// Reads the configuration file too. `arguments` are those after the program's name.
CommandLine parse_command_line(std::span<const std::string> arguments);

}  // namespace routevpn::cli
