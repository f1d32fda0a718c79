// Helpers of the tests that parse command lines.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "routevpn/options/parse_link.hpp"

namespace routevpn::options {

using Lines = std::vector<std::string>;

// The words of a command line; a word in '' stays whole.
inline Lines words_of(const std::string& line) {
  Lines words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : line + " ") {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  return words;
}

// The options of a link.
inline ParsedLink parse(const Lines& arguments) {
  return parse_link(arguments);
}
inline ParsedLink parse_words(const std::string& line) {
  return parse(words_of(line));
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
    // Under a umask of 002 the group could write to it.
    std::filesystem::permissions(path_ + "/" + file, std::filesystem::perms{0644});
    return path_ + "/" + file;
  }

 private:
  std::string path_;
};

}  // namespace routevpn::options
