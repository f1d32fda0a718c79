// New files of a plan are written to a temporary directory, and moved into place when all are
// there.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

// The directories of planned files, below the output directory.
class Directories {
 public:
  explicit Directories(const PlannedFiles& files);
  // Makes the directories of the file that do not exist in `base`. Those with a secret are open to
  // their owner alone.
  void make_parents(const std::string& base, const std::string& path);

 private:
  std::set<std::string> secret_;
  std::set<std::string> made_;  // with their base, or found to exist
};

// A temporary directory in the output directory. The destructor removes it and what is left in it.
class Staging {
 public:
  explicit Staging(const std::string& directory);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  [[nodiscard]] std::string at(const std::string& path) const { return path_ + "/" + path; }
  void add(const std::vector<const PlannedFile*>& files, Directories& directories,
           const Progress& progress);

 private:
  std::string path_;
};

}  // namespace routevpn::plan
