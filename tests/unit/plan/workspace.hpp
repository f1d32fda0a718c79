// A topology file in a scratch directory, and the plan made from it.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "routevpn/plan/run.hpp"

#include "topologies.hpp"
#include "unit/cli/parsing.hpp"

namespace routevpn::plan {

class Workspace {
 public:
  explicit Workspace(const std::string& topology) { write(topology); }

  void write(const std::string& topology) const { (void)dir_.write("topology.toml", topology); }
  [[nodiscard]] std::string at(const std::string& name) const { return dir_.path() + "/" + name; }
  [[nodiscard]] PlanRequest request() const {
    PlanRequest request;
    request.topology = at("topology.toml");
    request.out = at("out");
    return request;
  }
  [[nodiscard]] PlanReport plan(bool check = false) const {
    auto with_check = request();
    with_check.check = check;
    return plan::run(with_check);
  }
  [[nodiscard]] std::map<std::string, std::string> files() const { return files_in("out"); }
  // Without the keys, which differ in each directory.
  [[nodiscard]] std::map<std::string, std::string> files_without_psks(
      const std::string& name = "out") const {
    auto all = files_in(name);
    std::erase_if(all, [](const auto& file) { return file.first.ends_with(".psk"); });
    return all;
  }
  [[nodiscard]] std::map<std::string, std::string> files_in(const std::string& name) const {
    std::map<std::string, std::string> all;
    if (!std::filesystem::exists(at(name))) return all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at(name))) {
      const auto path = std::filesystem::relative(entry.path(), at(name)).string();
      all[path] = entry.is_regular_file() ? read_text(entry.path()) : "a directory";
    }
    return all;
  }

 private:
  cli::ScratchDirectory dir_;
};

}  // namespace routevpn::plan
