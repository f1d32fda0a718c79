#include "routevpn/plan/run.hpp"

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/plan/lock.hpp"
#include "routevpn/plan/psk_roll.hpp"

#include "certificates.hpp"
#include "issuer.hpp"
#include "psks.hpp"

namespace routevpn::plan {

namespace {

// 300 sites of two gateways have 179,400 links in a full mesh: 3.6 MB in lines of 20 bytes.
constexpr std::size_t largest_lock_bytes = 16UL * 1024 * 1024;

// Held while a plan is made, so that two concurrent plans do not give the same number twice.
class TopologyLock {
 public:
  explicit TopologyLock(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    while (fd_ && flock(fd_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) throw system_error("lock " + path);
    }
  }

 private:
  Fd fd_;  // empty if the file cannot be opened; run() then reports that
};

// The step of a roll-over that this plan makes or is at; none between two roll-overs.
std::optional<std::uint32_t> psk_step_of(const Plan& plan, const PlanRequest& request) {
  const bool has_psk = std::ranges::any_of(plan.links, &PlannedLink::psk);
  if (request.new_psks && !has_psk) {
    throw UsageError("--new-psks: no link of this plan has a pre-shared key");
  }
  const auto step = PskRoll(plan.lock.psk_steps).step();
  if (!has_psk || (step == 0 && !request.new_psks)) return std::nullopt;
  return step == 0 ? PskRoll::steps : step;
}

// What is in the topology file and in the lock file.
struct Inputs {
  std::string lock_text;
  Lock before;
  Plan plan;
};

// Nothing if the files have faults, which are then in the report.
std::optional<Inputs> read_inputs(const PlanRequest& request, PlanReport& report) {
  Faults faults;
  const auto report_faults = [&](const std::string& path) {
    for (const auto& [line, text] : faults) {
      auto& fault = report.faults.emplace_back(path + ":");
      fault += std::to_string(line) + ": " + text;
    }
    return !faults.empty();
  };
  Inputs inputs;
  auto topology = parse_topology(read_file(request.topology), faults);
  if (report_faults(request.topology)) return std::nullopt;

  const bool had_lock = exists(report.lock);
  if (had_lock) inputs.lock_text = read_file(report.lock, Trust::any, largest_lock_bytes);
  inputs.before = parse_lock(inputs.lock_text, faults);
  if (report_faults(report.lock)) return std::nullopt;

  inputs.plan = allocate(std::move(topology), inputs.before, faults);
  if (report_faults(request.topology)) return std::nullopt;
  inputs.plan.lock.psk_steps = inputs.before.psk_steps + (request.new_psks ? 1 : 0);
  return inputs;
}

}  // namespace

std::string lock_path(const std::string& topology) {
  constexpr std::string_view usual = ".toml";
  const bool has_usual = topology.ends_with(usual) && topology.size() > usual.size();
  return (has_usual ? topology.substr(0, topology.size() - usual.size()) : topology) + ".lock";
}

PlanReport run(const PlanRequest& request) {
  const TopologyLock lock(request.topology);
  PlanReport report;
  report.lock = lock_path(request.topology);
  const auto inputs = read_inputs(request, report);
  if (!inputs) return report;
  const auto& [lock_text, before, plan] = *inputs;
  report.sites = plan.topology.sites.size();
  report.gateways = plan.topology.gateways.size();
  report.links = plan.links.size();
  report.psk_step = psk_step_of(plan, request);

  Certificates certificates(plan, request.pki);
  auto files = render(plan);
  if (request.dot) files.push_back({dot_name, render_dot(plan)});
  const PskOrder psk_order{.make = !request.check, .advance = request.new_psks};
  for (auto& file : psk_files(plan, request.out, psk_order)) files.push_back(std::move(file));
  const auto without_certificates = files.size();
  const auto add_certificates = [&] {
    files.resize(without_certificates);
    for (auto& file : certificates.files()) files.push_back(std::move(file));
  };
  // Everything that can fail is checked before the first file is written.
  require_writable(request.out);
  Output output(request.out);
  report.kept_credentials = certificates.keep_former(output);
  certificates.require_sound();
  if (!request.pki.empty() && !request.new_ca) {
    require_same_issuer(plan, {request.out, output.written(), report.lock, before.authority},
                        request.pki);
  }
  auto next = plan.lock;
  next.authority = certificates.authority(before.authority);
  report.lock_changes = format_lock(next) != lock_text || certificates.makes_authority();
  if (report.lock_changes) require_writable(directory_of(report.lock));
  if (request.check || !request.pki.empty()) {
    add_certificates();
    report.changes = output.compare(files);
    if (request.check) return report;
    certificates.issue();
    next.authority = certificates.authority(before.authority);
  }
  add_certificates();
  // The lock is written first: if a later step fails, the next run gives the same numbers.
  if (report.lock_changes) {
    (void)output.compare(files);
    replace_file(report.lock, format_lock(next), 0644, Sync::yes);
  }
  report.changes = output.write(files, request.progress);
  return report;
}

}  // namespace routevpn::plan
