// Files of the CA's directory, which are written and replaced as a whole.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/base/files.hpp"

namespace routevpn::pki {

// Held while a command works in the directory, so that two commands never change the same index.
class DirectoryLock {
 public:
  // Throws UsageError naming --dir, also for a directory in which another user can make files.
  explicit DirectoryLock(const std::string& directory);

 private:
  Fd fd_;
};

// Files that are put in place together. Without commit() they are removed again.
class FileSet {
 public:
  enum class Existing : bool { refuse, replace };

  FileSet() = default;
  ~FileSet();
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;

  // Writes a temporary file beside `path`. Throws UsageError if `path` exists and may not be
  // replaced, SystemError if writing fails.
  void stage(const std::string& path, const std::string& content, mode_t mode, Existing existing);
  // Puts the files in place in the order of staging. If that fails for a file, the destructor
  // removes those that did not exist before.
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
