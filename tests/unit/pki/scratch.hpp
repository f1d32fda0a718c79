// A temporary directory for each test, whose files the openssl command checks.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

#include <sys/stat.h>

#include "routevpn/base/error.hpp"

namespace routevpn::pki {

class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "routevpn-pki.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& file) const { return path_ + "/" + file; }

  [[nodiscard]] std::string read(const std::string& file) const {
    std::ifstream in(path_ + "/" + file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& file, const std::string& content) const {
    std::ofstream(path_ + "/" + file) << content;
    // Under a umask of 002 the group could write to it.
    std::filesystem::permissions(path_ + "/" + file, std::filesystem::perms{0644});
  }
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  [[nodiscard]] unsigned mode(const std::string& file) const {
    struct stat status {};
    stat((path_ + "/" + file).c_str(), &status);
    return status.st_mode & 07777U;
  }

  // The output of `openssl ARGUMENTS` in the directory. Throws if it fails.
  std::string openssl(const std::string& arguments) const {
    const std::string command = "cd " + path_ + " && openssl " + arguments + " 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen");
    std::string output;
    std::array<char, 4096> buffer{};
    while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      output.append(buffer.data(), n);
    }
    if (pclose(pipe) != 0) throw std::runtime_error("openssl " + arguments + ": " + output);
    return output;
  }

 private:
  std::string path_;
};

// The text of the call's UsageError, or an empty text.
template <typename Call>
std::string usage_error(Call call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return {};
}

}  // namespace routevpn::pki
