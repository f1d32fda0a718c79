#include "routevpn/pki/files.hpp"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::pki {

DirectoryLock::DirectoryLock(const std::string& directory)
    : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) {
    throw UsageError("--dir " + directory + ": " + std::generic_category().message(errno));
  }
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0) throw system_error(directory);
  if (const auto fault = fault_of_directory(status, directory); !fault.empty()) {
    throw UsageError("--dir " + fault);
  }
  while (flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw system_error("lock " + directory);
  }
}

FileSet::~FileSet() {
  for (const Staged& file : files_) {
    ::unlink(file.temporary.c_str());  // fails if the file was renamed
    const bool created = file.in_place && file.existing == Existing::refuse;
    if (created && !committed_) ::unlink(file.path.c_str());
  }
}

void FileSet::stage(const std::string& path, const std::string& content, mode_t mode,
                    Existing existing) {
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (existing == Existing::refuse) throw UsageError(path + ": exists already");
    if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  }
  files_.push_back({path, write_temporary(path, content, mode, Sync::yes), existing});
}

void FileSet::commit() {
  for (Staged& file : files_) {
    // link(2), unlike rename(2), never replaces a file that appeared meanwhile.
    const int failed = file.existing == Existing::refuse
                           ? ::link(file.temporary.c_str(), file.path.c_str())
                           : std::rename(file.temporary.c_str(), file.path.c_str());
    if (failed != 0 && errno == EEXIST) throw UsageError(file.path + ": exists already");
    if (failed != 0) throw system_error("create " + file.path);
    file.in_place = true;
  }
  committed_ = true;
  if (files_.empty()) return;
  const Fd directory(::open(directory_of(files_.front().path).c_str(), O_RDONLY | O_CLOEXEC));
  if (directory) fsync(directory.get());
}

}  // namespace routevpn::pki
