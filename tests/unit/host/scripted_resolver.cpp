// A program in place of `routevpn-resolver`. Its argument selects what it does:
//
//   raw:HEX       writes these bytes
//   endless       writes without end
//   silent        waits until it is killed
//   closed        closes its output and waits until it is killed
//   KEY           reports this line of /proc/self/status as an error record
//   descriptors   reports its open descriptors
//   limits        reports RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC, and the seconds until SIGALRM
//   processes     reports whether it can fork
//   arguments     reports its arguments and environment
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

void put(std::string_view text) {
  if (write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(1);
}

void report(std::string text) {
  text.insert(0, "E");
  text.resize(201);
  put(text);
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string status_line(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key + ":")) continue;
    for (char& byte : line) byte = byte == '\t' ? ' ' : byte;
    return line;
  }
  return "no line " + key;
}

std::string descriptors() {
  std::string text;
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) text += std::to_string(fd) + " ";
  }
  return text;
}

std::string limits() {
  std::string text;
  for (const auto resource : {RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC}) {
    rlimit limit{};
    getrlimit(resource, &limit);
    text += std::to_string(limit.rlim_cur) + "/" + std::to_string(limit.rlim_max) + " ";
  }
  return text + (alarm(0) > 20 ? "SIGALRM" : "no SIGALRM");
}

std::string processes() {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  return pid < 0 && errno == EAGAIN ? "no process" : "a process";
}

std::string arguments(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += std::string(argv[i]) + " ";
  for (char** variable = environ; *variable != nullptr; ++variable) text += *variable;
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string task = argc > 1 ? argv[1] : "";
  if (task.starts_with("raw:")) {
    put(from_hex(std::string_view(task).substr(4)));
  } else if (task == "endless") {
    while (true) put("4444444444444444444444444");
  } else if (task == "silent" || task == "closed") {
    if (task == "closed") close(STDOUT_FILENO);
    while (true) pause();
  } else if (task == "descriptors") {
    report(descriptors());
  } else if (task == "limits") {
    report(limits());
  } else if (task == "processes") {
    report(processes());
  } else if (task == "arguments") {
    report(arguments(argc, argv));
  } else {
    report(status_line(task));
  }
  _exit(0);
}
