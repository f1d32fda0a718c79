#include "namespace_lab.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>

#include "catch.hpp"

namespace routevpn::host {

bool can_make_namespaces() {
  if (geteuid() == 0) return true;
  WARN("not run: this test makes network namespaces, which needs root");
  return false;
}

Output run(const std::string& command) {
  Output output;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen");
  std::array<char, 4096> part{};
  std::size_t got = 0;
  while ((got = fread(part.data(), 1, part.size(), pipe)) > 0) output.text.append(part.data(), got);
  const int status = pclose(pipe);
  output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

bool soon(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TestNetns::TestNetns() {
  static int count = 0;
  name_ = "rvtest-" + std::to_string(getpid()) + "-" + std::to_string(++count);
  if (run("ip netns add " + name_).status != 0) throw std::runtime_error("ip netns add " + name_);
  must("ip link set lo up");
}

TestNetns::~TestNetns() {
  run("ip netns del " + name_);
}

Output TestNetns::run_inside(const std::string& command) const {
  return run("ip netns exec " + name_ + " " + command);
}

void TestNetns::must(const std::string& command) const {
  const Output output = run_inside(command);
  INFO(command << ": " << output.text);
  REQUIRE(output.status == 0);
}

std::string TestNetns::ip(const std::string& arguments) const {
  return run("ip -n " + name_ + " " + arguments).text;
}

std::string TestNetns::sysctl(const std::string& path) const {
  return run_inside("cat /proc/sys/net/" + path).text;
}

}  // namespace routevpn::host
