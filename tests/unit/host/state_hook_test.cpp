#include "routevpn/host/state_hook.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using namespace std::chrono_literals;

namespace {

// What commands have written.
class Written {
 public:
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
  }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  Fd fd_{memfd_create("written", 0)};
};

// Other tests of this program expect that no child is left.
void wait_for_children() {
  while (waitpid(-1, nullptr, 0) > 0) {
  }
}

}  // namespace

TEST_CASE("at the end of the process the queued states are reported in their order") {
  const Written written;
  StateHook hook("sleep 0.1; echo $STATE >> " + written.path());
  for (const char* state : {"up", "connecting", "down"}) hook.run({{"STATE", state}});
  hook.finish(30s);
  wait_for_children();  // the last command may run on
  CHECK(written.text() == "up\nconnecting\ndown\n");
}

TEST_CASE("a command that hangs does not keep the process from its end") {
  const Written pid;
  StateHook hook("echo $$ > " + pid.path() + "; exec sleep 20");
  hook.run({});
  hook.run({});
  REQUIRE(soon([&] { return pid.text().ends_with('\n'); }));
  const Time begun = read_clock();
  hook.finish(50ms);
  CHECK(read_clock() - begun < 10s);
  REQUIRE(kill(std::stoi(pid.text()), SIGKILL) == 0);
  wait_for_children();
}
