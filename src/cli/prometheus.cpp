// `routevpn show --prometheus`: routevpn-exporter prints the metrics. The libraries that it needs
// would cost every link memory.
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

namespace routevpn::cli {

std::vector<std::string> exporter_command(const ShowLinks& show, const std::string& own_program) {
  // The two programs are installed into the same directory.
  std::vector<std::string> words = {own_program + "-exporter", "--once", "--run-dir", show.run_dir};
  if (!show.links.empty()) words.emplace_back("--");
  words.insert(words.end(), show.links.begin(), show.links.end());
  return words;
}

void run_exporter(const ShowLinks& show) {
  std::string own(4096, '\0');
  const auto length = readlink("/proc/self/exe", own.data(), own.size());
  if (length < 0) throw system_error("/proc/self/exe");
  own.resize(static_cast<std::size_t>(length));
  auto words = exporter_command(show, own);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  throw system_error("--prometheus: " + words.front());
}

}  // namespace routevpn::cli
