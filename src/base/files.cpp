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
  return UsageError(path + ": " + std::generic_category().message(errno));
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

std::string read_file(const std::string& path, std::size_t max_bytes) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // no wait at a pipe
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw unusable(path);
  if (!S_ISREG(status.st_mode)) throw UsageError(path + ": not a regular file");
  if (static_cast<std::size_t>(status.st_size) > max_bytes) {
    throw UsageError(path + ": larger than " + std::to_string(max_bytes / (1024UL * 1024)) +
                     " MiB");
  }
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  if (!read_all(file, content)) throw unusable(path);
  return content;
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

bool exists(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace routevpn
