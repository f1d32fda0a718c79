// One gateway's planned directory, as `routevpn plan` writes it: read and checked.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/options/link_options.hpp"

namespace routevpn::apply {

inline constexpr std::string_view config_dir = "/etc/routevpn/";
inline constexpr std::string_view pki_dir = "/etc/routevpn/pki/";
inline constexpr std::string_view psk_dir = "/etc/routevpn/psk/";
inline constexpr std::string_view bird_dir = "/etc/routevpn/bird/";
inline constexpr std::string_view netns_dir = "/etc/routevpn/netns/";
inline constexpr std::string_view exporter_dir = "/etc/routevpn/exporter/";
inline constexpr std::string_view exporter_topology = "/etc/routevpn/exporter/topology.toml";

struct PlannedFile {
  std::string source;  // in the planned directory
  std::string path;    // on the machine, below --root
  std::string content;
  mode_t mode;
};

struct PlannedUnit {
  enum class Kind : std::uint8_t { netns, bird, link, exporter };
  Kind kind;
  std::string name;      // routevpn@rv2-1.service
  std::string instance;  // rv2-1
  std::string conf;      // the path of its file
  // What the unit needs a restart for, and what it can reload.
  std::string settings;
  std::string reloadable;
  std::vector<std::string> reads;  // paths of credentials, which it can reload, too
  // Of a link.
  options::LinkOptions options = {};
  std::string session = {};  // its BGP protocol in BIRD; empty: none
  // Of a namespace: the interfaces that its file names.
  std::vector<std::string> interfaces = {};
};

struct GatewayPlan {
  std::string gateway;  // the name in its certificate
  std::string netns;    // the private namespace, as its BIRD's unit names it; empty: no BIRD there
  std::vector<PlannedFile> files;
  std::vector<PlannedUnit> units;  // in the order in which they start

  [[nodiscard]] const PlannedFile* file(std::string_view path) const;
  [[nodiscard]] const PlannedUnit* unit(std::string_view name) const;
};

// Adds one line per fault; with faults the plan is not whole.
GatewayPlan read_directory(const std::string& directory, std::vector<std::string>& faults);

// Loads the credentials of each link as the link will: from the planned file, or from the machine
// where the plan has none or the file there is `kept`. `root` ends without '/'.
void check_credentials(const GatewayPlan& plan, const std::string& root,
                       const std::set<std::string>& kept, std::vector<std::string>& faults);

// The BGP protocol in BIRD's configuration that uses this interface. Empty: none.
std::string session_over(std::string_view bird, std::string_view ifname);

}  // namespace routevpn::apply
