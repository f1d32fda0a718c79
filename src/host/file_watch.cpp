#include "routevpn/host/file_watch.hpp"

#include "routevpn/base/files.hpp"

namespace routevpn::host {

// A change of mode or owner changes `changed`, the time of the inode.
FileWatch::Identity::Identity(const struct stat& status)
    : device(status.st_dev),
      inode(status.st_ino),
      size(status.st_size),
      modified_s(status.st_mtim.tv_sec),
      changed_s(status.st_ctim.tv_sec),
      modified_ns(status.st_mtim.tv_nsec),
      changed_ns(status.st_ctim.tv_nsec) {}

FileWatch::State FileWatch::state_of(const std::string& file) {
  State state;
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0) state.file.emplace(status);
  if (::stat(directory_of(file).c_str(), &status) == 0) {
    state.directory = Access{status.st_mode, status.st_uid};
  }
  return state;
}

std::vector<FileWatch::State> FileWatch::states() const {
  std::vector<State> all;
  all.reserve(files_.size());
  for (const auto& file : files_) all.push_back(state_of(file));
  return all;
}

FileWatch::FileWatch(std::vector<std::string> files) : files_(std::move(files)) {
  std::erase(files_, "");
  reported_ = last_ = states();
}

bool FileWatch::changed() {
  auto now = states();
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == reported_) return false;
  reported_ = last_;
  return true;
}

}  // namespace routevpn::host
