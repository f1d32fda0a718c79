#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

void require_writable(const std::string& directory) {
  auto nearest = std::filesystem::absolute(directory).lexically_normal();
  struct stat status {};
  while (::stat(nearest.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw system_error(nearest.string());
    nearest = nearest.parent_path();
  }
  if (!S_ISDIR(status.st_mode)) throw UsageError(nearest.string() + ": is not a directory");
  if (::faccessat(AT_FDCWD, nearest.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw system_error("write in " + nearest.string());
  }
}

}  // namespace routevpn::plan
