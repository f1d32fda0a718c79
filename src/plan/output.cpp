#include "routevpn/plan/output.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/owned.hpp"

#include "staging.hpp"

namespace routevpn::plan {

namespace {

namespace fs = std::filesystem;

constexpr auto manifest_head =
    "# Files of routevpn plan. It removes the files that are no longer planned.\n";

void move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw system_error("create " + to);
}

struct ExistingFile {
  std::string content;
  mode_t mode;
  bool has_trusted_owner;
};

// Nothing if no file exists. Throws UsageError for a directory, a symbolic link or a device.
std::optional<ExistingFile> read_existing(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  struct stat status {};
  if (!fd && errno != ELOOP) throw system_error(path);
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw UsageError(path + ": exists and is not a regular file");
  }
  ExistingFile existing{std::string(static_cast<std::size_t>(status.st_size), '\0'),
                        status.st_mode & 07777, false};
  status.st_mode = existing.mode & 0700;  // compare() looks at the mode
  existing.has_trusted_owner = fault_of_file(status, path, Trust::unaltered).empty();
  if (!read_all(fd, existing.content)) throw system_error(path);
  return existing;
}

// Throws UsageError for something else, and for a directory in which another user can make files.
bool is_directory(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  if (!S_ISDIR(status.st_mode)) throw UsageError(path + ": exists and is not a directory");
  require_trusted_directory(path);
  return true;
}

bool is_manifest_path(const std::string& path) {
  const fs::path written(path);
  return written.is_relative() && written.lexically_normal() == written &&
         *written.begin() != ".." && *written.begin() != ".";
}

std::string top_of(const std::string& path) {
  return path.substr(0, path.find('/'));
}

// Creates a directory if it does not exist. The destructor removes it again if it is still empty.
class NewDirectory {
 public:
  explicit NewDirectory(const std::string& path)
      : path_(path), made_(make_directories(path, 0755)) {}
  ~NewDirectory() {
    if (made_) ::rmdir(path_.c_str());
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

 private:
  std::string path_;
  bool made_;
};

}  // namespace

void require_writable(const std::string& directory) {
  auto nearest = fs::absolute(directory).lexically_normal();
  struct stat status {};
  while (::stat(nearest.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw system_error(nearest.string());
    nearest = nearest.parent_path();
  }
  if (!S_ISDIR(status.st_mode)) throw UsageError(nearest.string() + ": is not a directory");
  if (const auto fault = fault_of_parent(status, nearest.string()); !fault.empty()) {
    throw UsageError(fault);
  }
  if (::faccessat(AT_FDCWD, nearest.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw system_error("write in " + nearest.string());
  }
}

Output::Output(std::string directory) : directory_(std::move(directory)) {
  const auto path = at(manifest_name);
  const auto manifest = read_existing(path);
  if (!manifest) return;
  std::istringstream in(manifest->content);
  std::string entry;
  for (std::size_t line = 1; std::getline(in, entry); ++line) {
    if (entry.empty() || entry.starts_with('#')) continue;
    if (!is_manifest_path(entry)) {
      throw UsageError(path + ":" + std::to_string(line) + ": must be a path inside the directory");
    }
    written_.insert(entry);
  }
}

bool Output::exists(const std::string& path) const {
  return read_existing(at(path)).has_value();
}

Changes Output::compare(const PlannedFiles& files) const {
  Changes changes;
  (void)is_directory(directory_);
  std::set<std::string_view> planned;
  std::map<std::string_view, bool> has_directory;
  for (const auto& file : files) {
    planned.insert(file.path);
    bool has_parent = true;
    for (auto slash = file.path.find('/'); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      const auto parent = std::string_view(file.path).substr(0, slash);
      const auto [known, unknown] = has_directory.emplace(parent, false);
      if (unknown) known->second = is_directory(at(std::string(parent)));
      has_parent = known->second;
    }
    const auto existing = has_parent ? read_existing(at(file.path)) : std::nullopt;
    if (!existing) {
      changes.push_back({Change::Kind::create, file.path});
    } else if (existing->content != file.content || existing->mode != file.mode ||
               !existing->has_trusted_owner) {
      if (!written_.contains(file.path)) {
        throw UsageError(at(file.path) + ": exists and was not written by routevpn plan");
      }
      changes.push_back({Change::Kind::change, file.path});
    }
  }
  for (const auto& path : written_) {
    if (planned.contains(path) || kept_.contains(path)) continue;
    if (read_existing(at(path))) {
      changes.push_back({Change::Kind::remove, path});
    }
  }
  return changes;
}

Changes Output::write(const PlannedFiles& files, const Progress& progress) {
  auto changes = compare(files);
  std::set<std::string> planned;
  for (const auto& file : files) planned.insert(file.path);
  planned.insert(kept_.begin(), kept_.end());
  if (changes.empty() && planned == written_) return changes;

  const NewDirectory directory(directory_);
  Staging staging(directory_);
  std::set<std::string_view> to_write;
  for (const auto& change : changes) {
    if (change.kind != Change::Kind::remove) to_write.insert(change.path);
  }
  // A new gateway directory is moved into place as a whole: one system call for hundreds of files.
  std::map<std::string, bool> is_new;
  std::vector<const PlannedFile*> staged;
  for (const auto& file : files) {
    if (!to_write.contains(file.path)) continue;
    staged.push_back(&file);
    const auto [top, unknown] = is_new.emplace(top_of(file.path), false);
    if (unknown) top->second = !fs::exists(at(top->first));
  }
  Directories directories(files);
  staging.add(staged, directories, progress);
  auto all = planned;
  all.insert(written_.begin(), written_.end());
  write_manifest(all);
  for (const auto& [top, whole] : is_new) {
    if (whole) move(staging.at(top), at(top));
  }
  for (const auto path : to_write) {
    const std::string file(path);
    if (is_new.at(top_of(file))) continue;
    directories.make_parents(directory_, file);
    move(staging.at(file), at(file));
  }
  for (const auto& change : changes) {
    if (change.kind == Change::Kind::remove) remove(change.path);
  }
  if (planned != all) write_manifest(planned);
  written_ = std::move(planned);
  return changes;
}

void Output::write_manifest(const std::set<std::string>& paths) const {
  std::string text = manifest_head;
  for (const auto& path : paths) text += path + "\n";
  replace_file(at(manifest_name), text, 0644, Sync::no);
}

// Also removes the directories that are empty then.
void Output::remove(const std::string& path) const {
  if (::unlink(at(path).c_str()) != 0 && errno != ENOENT) throw system_error("remove " + at(path));
  for (auto parent = fs::path(path).parent_path(); !parent.empty(); parent = parent.parent_path()) {
    if (::rmdir(at(parent).c_str()) != 0) return;
  }
}

}  // namespace routevpn::plan
