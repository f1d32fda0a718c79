#include "routevpn/apply/run.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

#include "carry_out.hpp"
#include "installed.hpp"

namespace routevpn::apply {

namespace {

std::string without_final_slash(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Run::Run(const ApplyRequest& request, Machine& machine)
    : request_(request), machine_(machine), root_(without_final_slash(request.root)) {
  auto directory = without_final_slash(request.directory);
  plan_ = read_directory(directory.empty() ? "/" : directory, faults_);
  if (faults_.empty()) check_bird();
  if (!faults_.empty()) return;
  if (!request.dry_run) lock();
  const auto installed = read_installed(plan_, root_, machine, faults_);
  if (!faults_.empty()) return;
  manifest_ = installed.manifest;
  decision_ = decide(plan_, installed, request.force);
  faults_ = decision_.refusals;
  check_credentials(plan_, root_, decision_.kept, faults_);
  if (!faults_.empty()) decision_.steps.clear();
  warnings_.insert(warnings_.end(), decision_.notes.begin(), decision_.notes.end());
}

void Run::check_bird() {
  for (const auto& file : plan_.files) {
    if (!file.path.starts_with(bird_dir)) continue;
    const auto ended = machine_.run({"bird", "-p", "-c", file.source});
    if (!ended) {
      warnings_.emplace_back("bird is not installed, so the planned BIRD files were not checked");
      return;
    }
    if (ended->status != 0) faults_.push_back(one_line(ended->err + ended->out));
  }
}

void Run::lock() {
  const auto directory = root_ + std::string(state_dir);
  make_directories(directory, 0755);
  lock_ = Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) throw system_error(directory);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) throw SystemError("another routevpn apply runs on this machine");
  throw system_error("lock " + directory);
}

std::vector<std::string> Run::lines() const {
  std::vector<std::string> lines;
  for (const auto& step : decision_.steps) {
    for (const auto& object : step.objects) lines.push_back(step.text(object));
  }
  return lines;
}

void Run::carry_out(const std::function<void()>& done) {
  if (decision_.steps.empty()) {
    if (decision_.after != manifest_) save_manifest(root_, decision_.after);
    return;
  }
  apply::carry_out({plan_, decision_, root_, request_.timeout, machine_}, done);
}

}  // namespace routevpn::apply
