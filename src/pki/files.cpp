#include "routevpn/pki/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::pki {

namespace {

UsageError unusable(const std::string& path, int error_number) {
  return UsageError(path + ": " + std::generic_category().message(error_number));
}

void write_all(int fd, const std::string& content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno != EINTR) throw system_error("write " + path);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

std::string read_file(const std::string& path, std::size_t largest_bytes) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) throw unusable(path, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) throw unusable(path, errno);
  if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  if (static_cast<std::size_t>(status.st_size) > largest_bytes) {
    const auto mebibytes = largest_bytes / (1024UL * 1024);
    throw UsageError(path + ": larger than " + std::to_string(mebibytes) + " MiB");
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::read(fd.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno != EINTR) throw unusable(path, errno);
    if (n == 0) break;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  content.resize(done);
  return content;
}

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

DirectoryLock::DirectoryLock(const std::string& directory)
    : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) throw unusable("--dir " + directory, errno);
  while (flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw system_error("lock " + directory);
  }
}

FileSet::~FileSet() {
  for (const Staged& file : files_) {
    if (!file.in_place || file.existing == Existing::refuse) ::unlink(file.temporary.c_str());
    const bool stray = file.in_place && file.existing == Existing::refuse && !committed_;
    if (stray) ::unlink(file.path.c_str());
  }
}

void FileSet::stage(const std::string& path, const std::string& content, mode_t mode,
                    Existing existing) {
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (existing == Existing::refuse) throw UsageError(path + ": exists already");
    if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  }
  std::string temporary = path + ".XXXXXX";
  const Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) throw system_error("create " + path);
  files_.push_back({path, temporary, existing});
  write_all(fd.get(), content, path);
  if (fchmod(fd.get(), mode) != 0) throw system_error("set the mode of " + path);
  if (fsync(fd.get()) != 0) throw system_error("write " + path);
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
