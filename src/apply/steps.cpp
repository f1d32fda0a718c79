// The order of the steps:
//
// 1. All files are put in place.
// 2. Units are enabled.
// 3. Debian's BIRD is stopped if it has no configuration of its own. Namespaces and BIRD, in the
//    order of the plan: started, or they take their new file.
// 4. Removed links that occupy a port of a planned link are stopped.
// 5. New links are started. 6. The other removed links are stopped: traffic has the new links by
//    then.
// 7. Running links reload credentials. 8. Changed links are restarted, each after the other.
// 9. The exporter is started, or restarted with its new files.
// 10. Removed BIRDs, exporters and namespaces are stopped, the namespaces last.
// 11. Files that are no longer planned are removed.
#include "routevpn/apply/steps.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "issue_time.hpp"

namespace routevpn::apply {

namespace {

using Kind = PlannedUnit::Kind;

constexpr std::string_view link_prefix = "routevpn@";

// In the order of Action.
constexpr std::array<std::string_view, 9> verbs = {"install", "enable",           "start",
                                                   "reload",  "configure",        "reload",
                                                   "restart", "stop and disable", "remove"};
static_assert(verbs.size() == static_cast<std::size_t>(Action::remove) + 1);

class Decider {
 public:
  Decider(const GatewayPlan& plan, const Installed& installed, bool force)
      : plan_(plan), installed_(installed), manifest_(installed.manifest), force_(force) {}

  Decision run() {
    require_same_gateway();
    for (const auto& file : plan_.files) judge(file);
    find_removed_files();
    if (!decision_.refusals.empty()) return std::move(decision_);
    add(Action::install, to_install_);
    note_manifests();
    enable();
    stop_debian_bird();
    start_services();
    const auto [first, later] = removed_links();
    for (const auto& unit : first) add(Action::stop, {unit});
    for_each(Kind::link, Action::start);
    for (const auto& unit : later) add(Action::stop, {unit});
    for_each(Kind::link, Action::reload_link);
    for_each(Kind::link, Action::restart);
    for_each(Kind::exporter, Action::start);
    for_each(Kind::exporter, Action::restart);
    stop_removed_services();
    add(Action::remove, to_remove_);
    return std::move(decision_);
  }

 private:
  void add(Action action, std::vector<std::string> objects) {
    if (!objects.empty()) decision_.steps.push_back({action, std::move(objects)});
  }

  void refuse(std::string text) { decision_.refusals.push_back(std::move(text)); }

  void require_same_gateway() {
    if (manifest_.gateway.empty() || manifest_.gateway == plan_.gateway) return;
    refuse("this is the plan of the gateway " + plan_.gateway + ", and this machine is " +
           manifest_.gateway +
           "; to give it the other name, stop its links and remove /var/lib/routevpn/applied");
  }

  [[nodiscard]] const InstalledFile* installed(const std::string& path) const {
    const auto found = installed_.files.find(path);
    return found == installed_.files.end() ? nullptr : &found->second;
  }

  [[nodiscard]] bool wrote(const std::string& path, const std::string& hash) const {
    const auto found = manifest_.files.find(path);
    return found != manifest_.files.end() && found->second.contains(hash);
  }

  // Of a certificate or CRL that was renewed on both sides, the later one is taken.
  [[nodiscard]] static bool is_renewed(const PlannedFile& file, const InstalledFile& old) {
    const auto planned = issue_time(file.path, file.content);
    return old.issued && planned && *planned >= *old.issued;
  }

  void keep(const PlannedFile& file, const InstalledFile& old) {
    effective_[file.path] = old.hash;
    decision_.kept.insert(file.path);
    decision_.notes.push_back(file.path +
                              ": stays; it was changed on this machine, and the plan has no "
                              "newer one (--force replaces it)");
  }

  // Installs the file unless it is there. A file that changed on the machine stays if it is a
  // credential and the plan has the same as before, or an earlier one: a gateway may renew its own
  // certificate.
  void judge(const PlannedFile& file) {
    const auto planned = hash_of(file.content);
    const auto* const old = installed(file.path);
    effective_[file.path] = planned;
    if (old != nullptr && old->hash == planned && old->sound) return;
    const bool is_own = old == nullptr || old->hash == planned || wrote(file.path, old->hash);
    const bool is_credential =
        file.path.starts_with(pki_dir) && manifest_.files.contains(file.path);
    if (!is_own && !force_ && is_credential) {
      const bool comparable = old->issued && issue_time(file.path, file.content);
      if (wrote(file.path, planned) || (comparable && !is_renewed(file, *old))) {
        return keep(file, *old);
      }
    }
    if (!is_own && !force_ && !(is_credential && is_renewed(file, *old))) {
      refuse(file.path +
             (manifest_.files.contains(file.path)
                  ? ": was changed on this machine since the last apply"
                  : ": exists and was not written by routevpn apply") +
             "; remove it, or replace it with --force");
      return;
    }
    to_install_.push_back(file.path);
    if (old == nullptr || old->hash != planned) replaced_.insert(file.path);
  }

  void find_removed_files() {
    for (const auto& [path, hashes] : manifest_.files) {
      const auto* const old = installed(path);
      if (plan_.file(path) != nullptr || old == nullptr) continue;
      if (force_ || hashes.contains(old->hash)) {
        to_remove_.push_back(path);
      } else {
        refuse(path +
               ": is no longer planned, and was changed on this machine since the last apply; "
               "remove it, or have it removed with --force");
      }
    }
  }

  [[nodiscard]] InForce wanted_of(const PlannedUnit& unit) const {
    std::string files = hash_of(unit.reloadable);
    for (const auto& path : unit.reads) {
      const auto planned = effective_.find(path);
      const auto* const old = installed(path);
      files += planned != effective_.end() ? planned->second : old != nullptr ? old->hash : "";
    }
    return {hash_of(unit.settings), hash_of(files)};
  }

  [[nodiscard]] UnitState state_of(const std::string& unit) const {
    const auto found = installed_.units.find(unit);
    return found == installed_.units.end() ? UnitState{} : found->second;
  }

  // What the running unit uses. A unit that apply did not start uses its files as they are, unless
  // this run replaces them.
  [[nodiscard]] InForce in_force(const PlannedUnit& unit, const InForce& wanted) const {
    const auto known = manifest_.units.find(unit.name);
    if (known != manifest_.units.end()) return known->second;
    const auto is_replaced = [this](const auto& path) { return replaced_.contains(path); };
    InForce now = wanted;
    const bool has_new_map =
        unit.kind == Kind::exporter && replaced_.contains(std::string(exporter_topology));
    if (replaced_.contains(unit.conf) || has_new_map) now = {};
    if (std::ranges::any_of(unit.reads, is_replaced)) now.files.clear();
    return now;
  }

  void note_manifests() {
    auto& after = decision_.after;
    auto& before = decision_.before;
    before = manifest_;
    after.gateway = before.gateway = plan_.gateway;
    for (const auto& file : plan_.files) {
      const auto planned = hash_of(file.content);
      before.files[file.path].insert(planned);
      after.files[file.path] = {planned};
    }
    for (const auto& unit : plan_.units) {
      const auto wanted = wanted_of(unit);
      decision_.wanted[unit.name] = wanted;
      after.units[unit.name] = wanted;
      before.units[unit.name] = state_of(unit.name).active ? in_force(unit, wanted) : InForce{};
    }
  }

  void enable() {
    std::vector<std::string> units;
    if (!installed_.target_enabled) units.emplace_back(target);
    for (const auto& unit : plan_.units) {
      if (!state_of(unit.name).enabled) units.push_back(unit.name);
    }
    add(Action::enable, units);
  }

  // With the example of its package it does nothing, and it fails at a boot without an IPv4
  // address.
  void stop_debian_bird() {
    const std::string unit(debian_bird);
    if (!is_removed(unit)) return;
    if (!installed_.debian_bird_configured) return add(Action::stop, {unit});
    if (plan_.unit(std::string(public_bird)) == nullptr) return;
    decision_.notes.push_back(unit +
                              ": stays; it has a configuration of its own, and runs in the same "
                              "network namespace as " +
                              std::string(public_bird) +
                              "; systemctl disable --now bird.service stops it");
  }

  // Nothing if the unit runs with its files as planned.
  [[nodiscard]] std::optional<Action> action_for(const PlannedUnit& unit) const {
    if (!state_of(unit.name).active) return Action::start;
    const auto& now = decision_.before.units.at(unit.name);
    const auto& wanted = decision_.wanted.at(unit.name);
    if (now == wanted) return std::nullopt;
    if (unit.kind == Kind::netns) return Action::reload;
    if (unit.kind == Kind::bird) return Action::configure;
    return now.settings == wanted.settings ? Action::reload_link : Action::restart;
  }

  void start_services() {
    for (const auto& unit : plan_.units) {
      const auto action = action_for(unit);
      const bool is_first = unit.kind == Kind::netns || unit.kind == Kind::bird;
      if (is_first && action) add(*action, {unit.name});
    }
  }

  void for_each(Kind kind, Action action) {
    for (const auto& unit : plan_.units) {
      if (unit.kind == kind && action_for(unit) == action) add(action, {unit.name});
    }
  }

  [[nodiscard]] bool is_removed(const std::string& unit) const {
    const auto state = state_of(unit);
    return plan_.unit(unit) == nullptr && (state.active || state.enabled);
  }

  [[nodiscard]] bool occupies_planned_port(const std::string& unit) const {
    const auto ports = installed_.ports.find(unit);
    if (ports == installed_.ports.end()) return false;
    return std::ranges::any_of(plan_.units, [&](const PlannedUnit& planned) {
      const auto& listen = planned.options.listen;
      return planned.kind == Kind::link && listen && listen->port <= ports->second.last &&
             listen->port + planned.options.lanes - 1 >= ports->second.first;
    });
  }

  // Those to be stopped before, and after new links are started.
  [[nodiscard]] std::pair<std::vector<std::string>, std::vector<std::string>> removed_links()
      const {
    std::pair<std::vector<std::string>, std::vector<std::string>> links;
    for (const auto& [unit, in_force] : manifest_.units) {
      if (!unit.starts_with(link_prefix) || !is_removed(unit)) continue;
      (occupies_planned_port(unit) ? links.first : links.second).push_back(unit);
    }
    return links;
  }

  // In the order of their names: routevpn-bird@ and routevpn-exporter@ before routevpn-netns@.
  void stop_removed_services() {
    for (const auto& [unit, in_force] : manifest_.units) {
      if (!unit.starts_with(link_prefix) && is_removed(unit)) add(Action::stop, {unit});
    }
  }

  const GatewayPlan& plan_;
  const Installed& installed_;
  const Manifest& manifest_;
  bool force_;
  std::map<std::string, std::string> effective_;  // the hash that each planned path will have
  std::vector<std::string> to_install_;
  std::set<std::string> replaced_;  // of those, with another content
  std::vector<std::string> to_remove_;
  Decision decision_;
};

}  // namespace

std::string Step::text(const std::string& object) const {
  return std::string(verbs.at(static_cast<std::size_t>(action))).append(" ").append(object);
}

Decision decide(const GatewayPlan& plan, const Installed& installed, bool force) {
  return Decider(plan, installed, force).run();
}

}  // namespace routevpn::apply
