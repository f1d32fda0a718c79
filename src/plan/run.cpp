#include "routevpn/plan/run.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/plan/lock.hpp"

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
  Faults faults;
  const auto report_faults = [&](const std::string& path) {
    for (const auto& [line, text] : faults) {
      auto& fault = report.faults.emplace_back(path + ":");
      fault += std::to_string(line) + ": " + text;
    }
    return !faults.empty();
  };
  auto topology = parse_topology(read_file(request.topology), faults);
  if (report_faults(request.topology)) return report;

  const bool had_lock = exists(report.lock);
  const auto lock_text = had_lock ? read_file(report.lock, Trust::any, largest_lock_bytes) : "";
  const auto before = parse_lock(lock_text, faults);
  if (report_faults(report.lock)) return report;

  const auto plan = allocate(std::move(topology), before, faults);
  if (report_faults(request.topology)) return report;
  report.sites = plan.topology.sites.size();
  report.gateways = plan.topology.gateways.size();
  report.links = plan.links.size();

  const Certificates certificates(plan, request.pki);
  auto files = render(plan);
  if (request.dot) files.push_back({dot_name, render_dot(plan)});
  const auto missing = request.check ? MissingKeys::leave_empty : MissingKeys::make;
  for (auto& file : psk_files(plan, request.out, missing)) files.push_back(std::move(file));
  const auto without_certificates = files.size();
  const auto add_certificates = [&] {
    files.resize(without_certificates);
    for (auto& file : certificates.files()) files.push_back(std::move(file));
  };
  // Everything that can fail is checked before the first file is written.
  require_writable(request.out);
  Output output(request.out);
  const auto next_lock = format_lock(plan.lock);
  report.lock_changes = next_lock != lock_text;
  if (report.lock_changes) require_writable(directory_of(report.lock));
  certificates.require_sound();
  if (!request.pki.empty() && !request.new_ca) {
    require_same_issuer(plan, request.out, request.pki);
  }
  if (request.check || !request.pki.empty()) {
    add_certificates();
    report.changes = output.compare(files);
    if (request.check) return report;
    certificates.issue();
  }
  add_certificates();
  // The lock is written first: if a later step fails, the next run gives the same numbers.
  if (report.lock_changes) {
    (void)output.compare(files);
    replace_file(report.lock, next_lock, 0644, Sync::yes);
  }
  report.changes = output.write(files);
  return report;
}

}  // namespace routevpn::plan
