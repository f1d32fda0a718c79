#include "routevpn/base/files.hpp"

#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn {

namespace {

UsageError unusable(const std::string& path) {
  return UsageError(path + ": cannot be read: " + std::generic_category().message(errno));
}

constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // no wait at a pipe

void refuse(const std::string& fault) {
  if (!fault.empty()) throw UsageError(fault);
}

Fd open_directory(const std::string& path) {
  return Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

// Opens the file that `path` leads to through symbolic links. Throws UsageError unless the
// directory of that file is trusted: a user that can write there could put another file of root in
// its place. Empty, with errno set, if the file cannot be opened.
Fd open_trusted(const std::string& path, int flags) {
  const Owned<char, std::free> real(::realpath(path.c_str(), nullptr));
  if (real == nullptr) return {};
  const std::string target = real.get();
  const Fd directory = open_directory(directory_of(target));
  struct stat status {};
  if (!directory || fstat(directory.get(), &status) != 0) return {};
  if (const auto fault = fault_of_parent(status, directory_of(target)); !fault.empty()) {
    throw UsageError(path + ": in " + fault);
  }
  const auto name = target.substr(target.rfind('/') + 1);
  return Fd(::openat(directory.get(), name.empty() ? "." : name.c_str(), flags | O_NOFOLLOW));
}

}  // namespace

bool read_all(const Fd& file, std::string& content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file.get(), content.data() + done, content.size() - done);
    if (got < 0 && errno != EINTR) return false;
    if (got == 0) break;
    if (got > 0) done += static_cast<std::size_t>(got);
  }
  content.resize(done);
  return true;
}

std::string read_file(const std::string& path, Trust trust, std::size_t max_bytes) {
  const Fd file =
      trust == Trust::any ? Fd(::open(path.c_str(), read_flags)) : open_trusted(path, read_flags);
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw unusable(path);
  if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  refuse(fault_of_file(status, path, trust));
  if (static_cast<std::size_t>(status.st_size) > max_bytes) {
    throw UsageError(path + ": larger than " + std::to_string(max_bytes / (1024UL * 1024)) +
                     " MiB");
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  if (!read_all(file, content)) throw unusable(path);
  return content;
}

void require_trusted_file(const std::string& path) {
  const Fd file = open_trusted(path, O_PATH | O_CLOEXEC);
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw unusable(path);
  if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  refuse(fault_of_file(status, path, Trust::unaltered));
}

void write_all(const Fd& file, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0 && errno != EINTR) throw system_error("write " + path);
    if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string write_temporary(const std::string& path, std::string_view content, mode_t mode,
                            Sync sync) {
  std::string temporary = path + ".XXXXXX";
  const Fd file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) throw system_error("create " + path);
  try {
    write_all(file, content, path);
    if (fchmod(file.get(), mode) != 0) throw system_error("set the mode of " + path);
    if (sync == Sync::yes && fsync(file.get()) != 0) throw system_error("write " + path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  return temporary;
}

void replace_file(const std::string& path, std::string_view content, mode_t mode, Sync sync) {
  const std::string temporary = write_temporary(path, content, mode, sync);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw system_error("create " + path, error);
  }
}

bool make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode & 0700) != 0) {
    if (errno == EEXIST) return false;
    throw system_error("create " + path);
  }
  if (::chmod(path.c_str(), mode) != 0) throw system_error("set the mode of " + path);
  return true;
}

bool make_directories(const std::string& path, mode_t mode) {
  for (auto slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    if (path.find_first_not_of('/', slash) == std::string::npos) break;
    make_directory(path.substr(0, slash), 0755);
  }
  return make_directory(path, mode);
}

void require_trusted_directory(const std::string& path) {
  const Fd directory = open_directory(path);
  struct stat status {};
  if (!directory || fstat(directory.get(), &status) != 0) throw unusable(path);
  refuse(fault_of_directory(status, path));
}

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace routevpn
