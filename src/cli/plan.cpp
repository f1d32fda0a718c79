#include <array>
#include <map>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/plan/psk_roll.hpp"

#include "progress.hpp"

namespace routevpn::cli {

namespace {

using ChangeKind = plan::Change::Kind;

std::string counted(std::size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

void print_changes(const plan::PlanReport& report, const Console& console) {
  if (report.lock_changes) console.out << "would write " << report.lock << "\n";
  for (const auto& change : report.changes) {
    const auto* const verb = change.kind == ChangeKind::create   ? "create"
                             : change.kind == ChangeKind::change ? "change"
                                                                 : "remove";
    console.out << "would " << verb << " " << change.path << "\n";
  }
}

void print_psk_step(std::uint32_t step, const std::string& out, const Console& console) {
  static constexpr std::array<std::string_view, plan::PskRoll::steps> effects = {
      "the links accept the new keys too", "the links use the new keys, and accept the old",
      "the links accept the new keys only"};
  console.out << out << ": new pre-shared keys, step " << step << " of " << effects.size() << ": "
              << effects.at(step - 1) << "; apply it on all gateways"
              << (step < effects.size() ? ", then plan with --new-psks again\n" : "\n");
}

void print_summary(const plan::PlanRequest& request, const plan::PlanReport& report,
                   const Console& console) {
  std::map<ChangeKind, std::size_t> changes;
  for (const auto& change : report.changes) ++changes[change.kind];
  console.out << request.out << ": " << counted(report.sites, "site") << ", "
              << counted(report.gateways, "gateway") << ", " << counted(report.links, "link")
              << "; " << counted(changes[ChangeKind::create], "file") << " created, "
              << changes[ChangeKind::change] << " changed, " << changes[ChangeKind::remove]
              << " removed\n";
  if (report.psk_step) print_psk_step(*report.psk_step, request.out, console);
  if (report.kept_credentials == 0) return;
  console.out << request.out
              << ": without --pki, the credentials of the last plan stay as they are: "
              << counted(report.kept_credentials, "file") << "\n";
}

// With --check, status 1 means that something would change. Every error therefore becomes a
// UsageError, which exits with status 2.
plan::PlanReport report_on(plan::PlanRequest request, const Console& console) {
  ProgressBar bar(console, "plan", "files", read_clock());
  request.progress = [&](std::size_t done, std::size_t all) { bar.show(done, all, read_clock()); };
  try {
    return plan::run(request);
  } catch (const std::exception& error) {
    if (request.check) throw UsageError(error.what());
    throw;
  }
}

}  // namespace

int run(const plan::PlanRequest& request, const Console& console) {
  const auto report = report_on(request, console);
  console.report(report.faults);
  if (!report.faults.empty()) return static_cast<int>(Exit::usage);
  if (!request.check) {
    print_summary(request, report, console);
    return static_cast<int>(Exit::stopped);
  }
  print_changes(report, console);
  const bool as_planned = report.changes.empty() && !report.lock_changes;
  return static_cast<int>(as_planned ? Exit::stopped : Exit::failed);
}

}  // namespace routevpn::cli
