#include "routevpn/apply/directory.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

#include "units.hpp"

namespace routevpn::apply {

namespace {

namespace fs = std::filesystem;

// A folder of the plan: which files it may have, and where they go.
struct Folder {
  std::string_view name;
  std::string_view target;
  std::vector<std::string_view> endings;
  std::vector<std::string_view> secret;  // endings of files that only their owner may read
  std::string_view ignored = {};         // an ending
};

const std::vector<Folder>& folders() {
  static const std::vector<Folder> all = {
      {"pki", pki_dir, {".cert", ".crl", ".key"}, {".key"}, ".request"},
      {"psk", psk_dir, {".psk"}, {".psk"}},
      {"bird", bird_dir, {".conf"}, {}},
      {"netns", netns_dir, {".conf"}, {}},
      {"exporter", exporter_dir, {".conf", ".toml"}, {}},
      {"links", config_dir, {".conf"}, {}},
  };
  return all;
}

bool ends_with_any(const std::string& name, const std::vector<std::string_view>& endings) {
  return std::ranges::any_of(
      endings, [&](std::string_view ending) { return name.ends_with(ending) && name != ending; });
}

// A directory that does not exist has none.
std::vector<std::string> names_in(const std::string& directory, std::vector<std::string>& faults) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    names.push_back(entry.path().filename());
  }
  if (error && error.value() != ENOENT) {
    faults.push_back(directory + ": cannot be read: " + error.message());
  }
  std::ranges::sort(names);
  return names;
}

// The manifest has one file per line.
bool is_visible(char c) {
  return c > ' ' && c <= '~';
}

std::string endings_of(const Folder& folder) {
  std::string text;
  for (const auto ending : folder.endings) {
    text.append(text.empty() ? "NAME" : ", NAME").append(ending);
  }
  return text;
}

class DirectoryReader {
 public:
  DirectoryReader(std::string directory, std::vector<std::string>& faults)
      : directory_(std::move(directory)), faults_(faults) {}

  void read_folder(const Folder& folder, std::vector<PlannedFile>& files) {
    const auto path = directory_ + "/" + std::string(folder.name);
    for (const auto& name : names_in(path, faults_)) {
      const auto source = std::string(path).append("/").append(name);
      if (!folder.ignored.empty() && name.ends_with(folder.ignored)) continue;
      if (!ends_with_any(name, folder.endings) || !std::ranges::all_of(name, is_visible)) {
        faults_.push_back(source + ": is not a planned file; allowed are " + endings_of(folder));
        continue;
      }
      const bool secret = ends_with_any(name, folder.secret);
      auto content = read(source, secret ? Trust::secret : Trust::unaltered);
      if (!content) continue;
      files.push_back({source, std::string(folder.target) + name, std::move(*content),
                       secret ? mode_t{0600} : mode_t{0644}});
    }
  }

  // Every planned file is text that ends with a newline.
  std::optional<std::string> read(const std::string& path, Trust trust) {
    try {
      auto content = read_file(path, trust);
      if (content.ends_with('\n')) return content;
      faults_.push_back(path + (content.empty() ? ": is empty" : ": is cut off in its last line") +
                        "; copy the planned directory again");
    } catch (const UsageError& error) {
      faults_.emplace_back(error.what());
    }
    return std::nullopt;
  }

 private:
  std::string directory_;
  std::vector<std::string>& faults_;
};

// bird/private.conf is installed with the name of the private namespace. Without a unit for it no
// BIRD would read it.
void name_private_bird(GatewayPlan& plan) {
  const auto is_private = [](const PlannedFile& file) {
    return file.path == std::string(bird_dir) + "private.conf";
  };
  const auto file = std::ranges::find_if(plan.files, is_private);
  if (file == plan.files.end()) return;
  if (plan.netns.empty()) {
    plan.files.erase(file);
  } else {
    file->path = std::string(bird_dir) + plan.netns + ".conf";
  }
}

}  // namespace

const PlannedFile* GatewayPlan::file(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &PlannedFile::path);
  return found == files.end() ? nullptr : &*found;
}

const PlannedUnit* GatewayPlan::unit(std::string_view name) const {
  const auto found = std::ranges::find(units, name, &PlannedUnit::name);
  return found == units.end() ? nullptr : &*found;
}

GatewayPlan read_directory(const std::string& directory, std::vector<std::string>& faults) {
  GatewayPlan plan;
  const auto units = directory + "/units";
  for (const auto& needed : {directory + "/links", units}) {
    struct stat status {};
    if (::stat(needed.c_str(), &status) == 0) continue;
    if (errno != ENOENT && errno != ENOTDIR) {
      faults.push_back(needed + ": cannot be read: " + std::generic_category().message(errno));
      return plan;
    }
    faults.push_back(directory + ": is not the planned directory of a gateway: it has no " +
                     needed.substr(directory.size() + 1) +
                     "; give DIR/GATEWAY of routevpn plan --out DIR");
    return plan;
  }
  DirectoryReader reader(directory, faults);
  for (const auto& folder : folders()) reader.read_folder(folder, plan.files);
  const auto lines = reader.read(units, Trust::unaltered);
  if (!faults.empty() || !lines) return plan;
  plan.units = parse_units(*lines, units, faults);
  for (const auto& unit : plan.units) {
    if (unit.kind == PlannedUnit::Kind::bird && unit.instance != "public") {
      plan.netns = unit.instance;
    }
  }
  name_private_bird(plan);
  complete_units(plan, units, faults);
  return plan;
}

}  // namespace routevpn::apply
