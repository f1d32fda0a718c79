// Helpers of the tests that parse command lines.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "routevpn/cli/command_line.hpp"

namespace routevpn::cli {

using Lines = std::vector<std::string>;

inline CommandLine parse(const std::vector<std::string>& arguments) {
  return parse_command_line(arguments);
}

// The words of a command line; a word in '' is kept as it is.
inline CommandLine parse_words(const std::string& words) {
  std::vector<std::string> arguments;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : words + " ") {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) arguments.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  return parse(arguments);
}

inline LinkOptions options_of(const CommandLine& line) {
  return std::get<RunLink>(line.command).options;
}

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "routevpn-cli.XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string write(const std::string& file, const std::string& content) const {
    std::ofstream(path_ + "/" + file) << content;
    return path_ + "/" + file;
  }

 private:
  std::string path_;
};

}  // namespace routevpn::cli
