// Files of the CA's directory: each is there whole or not at all, and never half-replaced.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::pki {

// Throws UsageError "PATH: REASON".
std::string read_file(const std::string& path, std::size_t largest_bytes = 1024UL * 1024);
bool exists(const std::string& path);

// Held while a command works in the directory, so that two never issue from the same index.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& directory);  // throws UsageError naming --dir

 private:
  Fd fd_;
};

// Several files that appear together. What was staged and not committed leaves no trace.
class FileSet {
 public:
  enum class Existing : bool { refuse, replace };

  FileSet() = default;
  ~FileSet();
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;

  // Writes a temporary file beside `path`, created with O_EXCL and mode 0600 before a byte is in
  // it. Throws UsageError when `path` exists and may not be replaced, SystemError when writing
  // fails.
  void stage(const std::string& path, const std::string& content, mode_t mode, Existing existing);
  // Puts them in place in the order they were staged. When one cannot be, those that are new are
  // taken away again.
  void commit();

 private:
  struct Staged {
    std::string path;
    std::string temporary;
    Existing existing;
    bool in_place = false;
  };
  std::vector<Staged> files_;
  bool committed_ = false;
};

}  // namespace routevpn::pki
