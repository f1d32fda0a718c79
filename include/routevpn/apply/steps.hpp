// What has to be done so that the machine agrees with a plan: a pure function.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "routevpn/apply/directory.hpp"
#include "routevpn/apply/manifest.hpp"
#include "routevpn/pki/time.hpp"

namespace routevpn::apply {

struct InstalledFile {
  std::string hash;
  bool sound = true;                       // mode and owner are as planned
  std::optional<pki::TimePoint> issued{};  // of a certificate or CRL
};

struct UnitState {
  bool active = false;
  bool enabled = false;
};

// The units of a gateway start at boot with this target.
inline constexpr std::string_view target = "routevpn.target";

// The unit of Debian's package runs BIRD in the public namespace, where a plan can have its own.
inline constexpr std::string_view debian_bird = "bird.service";
inline constexpr std::string_view public_bird = "routevpn-bird@public.service";

struct PortRange {
  unsigned first;
  unsigned last;
};

// What is on the machine.
struct Installed {
  Manifest manifest;
  // Those of the plan, of the manifest, and the credentials that planned links read. By path;
  // a file that does not exist is absent.
  std::map<std::string, InstalledFile> files;
  // Those of the plan and of the manifest, and debian_bird if the plan has a BIRD.
  std::map<std::string, UnitState> units;
  bool debian_bird_configured = false;  // its file is not the example of its package
  bool target_enabled = false;
  // Of installed links that are no longer planned, by unit: their outside ports.
  std::map<std::string, PortRange> ports;
};

enum class Action : std::uint8_t {
  install,      // files
  enable,       // units
  start,        // a unit
  reload,       // a namespace: systemctl reload
  configure,    // a running BIRD
  reload_link,  // the link reads credentials and --accept prefixes again
  restart,      // a link or an exporter
  stop,         // and disable a unit
  remove,       // files
};

struct Step {
  Action action;
  std::vector<std::string> objects;  // paths or units
  bool operator==(const Step&) const = default;

  [[nodiscard]] std::string text(const std::string& object) const;  // "restart routevpn@a.service"
};

struct Decision {
  std::vector<std::string> refusals;  // one line each; with any, there are no steps
  std::vector<std::string> notes;
  std::set<std::string> kept;  // planned files that stay as they are on the machine
  std::vector<Step> steps;
  std::map<std::string, InForce> wanted;  // of each planned unit
  Manifest before;                        // to be written before the first step
  Manifest after;  // to be written after the last one, when wanted is in force
};

// `force`: replace and remove also files that apply did not write.
Decision decide(const GatewayPlan& plan, const Installed& installed, bool force);

}  // namespace routevpn::apply
