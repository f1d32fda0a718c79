// Writes a plan to its output directory. plan.manifest lists the written files; no other file is
// changed or removed. Every file and directory has its mode whatever the umask is: a directory
// with a secret 0700, every other 0755. An existing directory must have a trusted owner and mode
// (base/trust.hpp), because another user could replace a key or write a command in it.
#pragma once

#include <cstdint>
#include <functional>
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

// Gets the number of written files and of all, several times per second.
using Progress = std::function<void(std::size_t done, std::size_t all)>;

inline constexpr auto manifest_name = "plan.manifest";

class Output {
 public:
  // Reads the manifest. The directory need not exist. Throws UsageError for an invalid path in the
  // manifest, and SystemError when the manifest cannot be read.
  explicit Output(std::string directory);

  // The files in the manifest.
  [[nodiscard]] const std::set<std::string>& written() const { return written_; }
  [[nodiscard]] bool exists(const std::string& path) const;
  // A file of the manifest that stays as it is, although it is not planned.
  void keep(std::string path) { kept_.insert(std::move(path)); }

  // The changes that write() would make: sorted as `files`, then removals. Throws UsageError when a
  // file is to be changed that the manifest does not list, or a directory is not trusted.
  [[nodiscard]] Changes compare(const PlannedFiles& files) const;
  // Makes the changes. An exception before the first file is in place leaves nothing behind. After
  // a later exception, the manifest lists every file that exists.
  Changes write(const PlannedFiles& files, const Progress& progress = {});

 private:
  [[nodiscard]] std::string at(const std::string& path) const { return directory_ + "/" + path; }
  void write_manifest(const std::set<std::string>& paths) const;
  void remove(const std::string& path) const;

  std::string directory_;
  std::set<std::string> written_;  // the paths in the manifest
  std::set<std::string> kept_;
};

// Checks that files can be made in this directory, which need not exist. Throws UsageError when the
// nearest existing path is no directory or not trusted, and SystemError when the system refuses.
void require_writable(const std::string& directory);

}  // namespace routevpn::plan
