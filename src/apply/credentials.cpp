#include <algorithm>

#include "routevpn/apply/directory.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/dtls/identity.hpp"

namespace routevpn::apply {

namespace {

using Faults = std::vector<std::string>;

// The file that the link will read: the planned one, or the one that is on the machine, such as a
// key that was made there.
struct Sources {
  const GatewayPlan& plan;
  const std::string& root;
  const std::set<std::string>& kept;

  [[nodiscard]] std::string of(const std::string& path) const {
    const auto* const planned = plan.file(path);
    return planned == nullptr || kept.contains(path) ? root + path : planned->source;
  }
};

void add_once(Faults& faults, const std::string& text) {
  if (std::ranges::find(faults, text) == faults.end()) faults.push_back(text);
}

bool is_there(const Sources& sources, const PlannedUnit& unit, Faults& faults) {
  bool all = true;
  for (const auto& path : unit.reads) {
    if (exists(sources.of(path))) continue;
    all = false;
    add_once(faults, path + ": is not in the plan and not on this machine, and links need it");
  }
  return all;
}

}  // namespace

void check_credentials(const GatewayPlan& plan, const std::string& root,
                       const std::set<std::string>& kept, Faults& faults) {
  const Sources sources{plan, root, kept};
  for (const auto& unit : plan.units) {
    if (unit.kind != PlannedUnit::Kind::link || !is_there(sources, unit, faults)) continue;
    const auto& options = unit.options;
    const auto at = [&](const std::string& path) { return sources.of(path); };
    dtls::IdentityFiles files{at(options.certificate), at(options.key), at(options.ca),
                              options.crl.empty() ? "" : at(options.crl)};
    for (const auto& psk : options.psk) files.psk.push_back(at(psk));
    try {
      const auto identity =
          dtls::Identity::load(files, {options.peer_name, options.ciphers, options.crl_grace});
      const auto& name = identity->certificate().name;
      if (name != plan.gateway) {
        add_once(faults, files.certificate + ": is the certificate of " + name + ", not of " +
                             plan.gateway);
      }
    } catch (const UsageErrors& errors) {
      for (const auto& line : errors.lines) add_once(faults, line);
    } catch (const UsageError& error) {
      add_once(faults, error.what());
    } catch (const SystemError& error) {
      add_once(faults, error.what());
    }
  }
}

}  // namespace routevpn::apply
