// Resolver processes for tests: of the program, and of a scripted one in its place.
#pragma once

#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/host/resolver_process.hpp"

#include "catch.hpp"
#include "namespace_lab.hpp"

namespace routevpn::host {

inline constexpr uid_t nobody = 65534;
inline const std::string failed_resolution = "the resolver process failed";

inline Fd open_program(const char* path) {
  return Fd(::open(path, O_RDONLY | O_CLOEXEC));
}

inline ResolverProcess start_resolver(const std::string& name) {
  return ResolverProcess::start(open_program(ROUTEVPN_PROGRAM), name, nobody, nobody);
}

inline ResolverProcess start_scripted(const std::string& task) {
  return ResolverProcess::start(open_program(SCRIPTED_RESOLVER), task, nobody, nobody);
}

inline ResolverProcess::Answer answer_of(ResolverProcess process) {
  std::optional<ResolverProcess::Answer> answer;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!(answer = process.take()) && std::chrono::steady_clock::now() < deadline) {
    pollfd readable{process.fd(), POLLIN, 0};
    poll(&readable, 1, 1000);
  }
  return answer.value_or(ResolverProcess::Answer{{}, "no answer"});
}

inline std::string report_of(const std::string& task) {
  return answer_of(start_scripted(task)).error;
}

inline bool no_child_is_left() {
  return waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
}

// Replaces `path` by a file with this text, for the calling thread only.
inline void replace_file_by(const std::string& path, const std::string& text) {
  const auto source =
      std::filesystem::temp_directory_path() / ("routevpn-names-" + std::to_string(getpid()));
  std::ofstream(source) << text;
  std::filesystem::permissions(source, std::filesystem::perms(0644));
  const int mounted = mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr);
  std::filesystem::remove(source);
  REQUIRE(mounted == 0);
}

// Runs `work` on a thread that has a network namespace and a name service of its own: 9 addresses
// of many.example, and DNS on the loopback.
template <typename Work>
inline void with_names(Work work) {
  const TestNetns lab;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      const NetnsScope inside(lab.open());
      REQUIRE(unshare(CLONE_NEWNS) == 0);
      REQUIRE(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
      replace_file_by("/etc/nsswitch.conf", "hosts: files dns\n");
      replace_file_by("/etc/resolv.conf", "nameserver 127.0.0.1\n");
      std::string hosts;
      for (int i = 1; i <= 9; ++i) hosts += "192.0.2." + std::to_string(i) + " many.example\n";
      replace_file_by("/etc/hosts", hosts);
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace routevpn::host
