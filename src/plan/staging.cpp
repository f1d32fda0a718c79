#include "staging.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::plan {

namespace {

constexpr std::size_t files_per_worker = 2000;
constexpr std::chrono::milliseconds between_reports{100};

// Without fsync: the next run rewrites files that a crash of the machine has lost.
void create_file(const std::string& path, const std::string& content, mode_t mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) throw system_error("create " + path);
  write_all(fd, content, path);
  if (fchmod(fd.get(), mode) != 0) throw system_error("set the mode of " + path);
}

}  // namespace

Directories::Directories(const PlannedFiles& files) {
  for (const auto& file : files) {
    if ((file.mode & 077) == 0) secret_.insert(file.path.substr(0, file.path.rfind('/')));
  }
}

void Directories::make_parents(const std::string& base, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto parent = path.substr(0, slash);
    const auto directory = std::string(base).append("/").append(parent);
    if (!made_.insert(directory).second) continue;
    make_directory(directory, secret_.contains(parent) ? 0700 : 0755);
  }
}

Staging::Staging(const std::string& directory) : path_(directory + "/.plan.XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw system_error("create a directory in " + directory);
  if (chmod(path_.c_str(), 0700) != 0) throw system_error("set the mode of " + path_);
}

Staging::~Staging() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Staging::add(const std::vector<const PlannedFile*>& files, Directories& directories,
                  const Progress& progress) {
  for (const auto* const file : files) directories.make_parents(path_, file->path);
  // The kernel needs most of a second for 40,000 files, so each processor creates a share.
  const auto workers = std::clamp<std::size_t>(files.size() / files_per_worker, 1,
                                               std::max(1U, std::thread::hardware_concurrency()));
  std::atomic<std::size_t> done = 0;
  std::vector<std::future<void>> parts;
  for (std::size_t worker = 0; worker < workers; ++worker) {
    const auto begin = files.size() * worker / workers;
    const auto end = files.size() * (worker + 1) / workers;
    parts.push_back(std::async(std::launch::async, [this, &files, &done, begin, end] {
      for (auto i = begin; i < end; ++i) {
        create_file(at(files[i]->path), files[i]->content, files[i]->mode);
        ++done;
      }
    }));
  }
  for (auto& part : parts) {
    while (part.wait_for(between_reports) != std::future_status::ready) {
      if (progress) progress(done, files.size());
    }
    part.get();
  }
}

}  // namespace routevpn::plan
