#include "routevpn/host/state_hook.hpp"

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "catch.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using namespace std::chrono_literals;

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("at the end of the process the queued states are reported in their order") {
  const Fd written(memfd_create("states", 0));
  const std::string file =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(written.get());
  StateHook hook("sleep 0.1; echo $STATE >> " + file);
  for (const char* state : {"up", "connecting", "down"}) hook.run({{"STATE", state}});
  hook.finish(30s);
  CHECK(soon([&] { return content(file) == "up\nconnecting\ndown\n"; }));
}

TEST_CASE("a command that hangs does not keep the process from its end") {
  StateHook hook("exec sleep 20 >&- 2>&-");
  hook.run({});
  hook.run({});
  const Time begun = read_clock();
  hook.finish(50ms);
  CHECK(read_clock() - begun < 10s);
}
