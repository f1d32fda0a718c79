// The directory a plan is written to. All of it is written or nothing, and nothing is touched that
// was not written here before: plan.manifest lists what was.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

struct Change {
  enum class Kind : std::uint8_t { create, change, remove };
  Kind kind;
  std::string path;  // below the directory
  bool operator==(const Change&) const = default;
};
using Changes = std::vector<Change>;

inline constexpr auto manifest_name = "plan.manifest";

class Output {
 public:
  // Reads the manifest. The directory need not exist. Throws UsageError for a manifest that names
  // what can be no file of a plan, SystemError when something cannot be read.
  explicit Output(std::string directory);

  // What writing these files would do; in the order of their paths, removals last. Throws
  // UsageError when a file is in the way that was not written here.
  [[nodiscard]] Changes compare(const PlannedFiles& files) const;
  // Does it. When it throws before the first file is in its place, nothing has been changed; after
  // that, the next run finds in the manifest whatever there is.
  Changes write(const PlannedFiles& files);

 private:
  [[nodiscard]] std::string at(const std::string& path) const { return directory_ + "/" + path; }
  void write_manifest(const std::set<std::string>& paths) const;
  void remove(const std::string& path) const;

  std::string directory_;
  std::set<std::string> ours_;
};

// Whether files can be made below this directory, which need not exist. Throws UsageError when it,
// or what it would be made in, is no directory, SystemError when the system refuses.
void require_writable(const std::string& directory);

enum class Sync : bool { no, yes };  // whether it must outlive a crash of the machine
// Puts one file in its place, whole or not at all. Throws SystemError.
void replace_file(const std::string& path, const std::string& content, mode_t mode, Sync sync);

}  // namespace routevpn::plan
