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

FileWatch::State FileWatch::state() const {
  State state;
  struct stat status {};
  for (const auto& file : files_) {
    auto& identity = state.files.emplace_back();
    if (::stat(file.c_str(), &status) == 0) identity.emplace(status);
  }
  for (const auto& directory : directories_) {
    auto& access = state.directories.emplace_back();
    if (::stat(directory.c_str(), &status) == 0) access = Access{status.st_mode, status.st_uid};
  }
  return state;
}

FileWatch::FileWatch(std::vector<std::string> files) : files_(std::move(files)) {
  std::erase(files_, "");
  for (const auto& file : files_) directories_.insert(directory_of(file));
  reported_ = last_ = state();
}

bool FileWatch::changed() {
  auto now = state();
  const bool settled = now == last_;
  last_ = std::move(now);
  if (!settled || last_ == reported_) return false;
  reported_ = last_;
  return true;
}

}  // namespace routevpn::host
