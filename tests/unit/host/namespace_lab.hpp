// Network namespaces for tests, and commands in them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <unistd.h>

#include "routevpn/host/netns.hpp"

namespace routevpn::host {

// Tests that make namespaces and interfaces need root. Without root this warns and returns false.
bool can_make_namespaces();

struct Output {
  int status = -1;
  std::string text;  // standard output and standard error
};
Output run(const std::string& command);

// True as soon as the condition is true; false if that takes more than 5 s.
bool soon(const std::function<bool()>& condition);

// A namespace of `ip netns` with loopback up, deleted by the destructor.
class TestNetns {
 public:
  TestNetns();
  ~TestNetns();
  TestNetns(const TestNetns&) = delete;
  TestNetns& operator=(const TestNetns&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Netns open() const { return Netns::open(name_, "--netns"); }
  // Runs a command in the namespace.
  [[nodiscard]] Output run_inside(const std::string& command) const;
  void must(const std::string& command) const;  // the test fails if the command does
  [[nodiscard]] std::string ip(const std::string& arguments) const;
  [[nodiscard]] std::string sysctl(const std::string& path) const;

 private:
  std::string name_;
};

}  // namespace routevpn::host
