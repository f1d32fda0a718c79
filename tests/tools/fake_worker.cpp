// routevpn with a worker that has no link and no cage. It takes what the monitor hands over, plays
// the script that FAKE_WORKER_SCRIPT names, and prints what it sees to standard error.

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/channel/channel.hpp"

#include "hostile_messages.hpp"
#include "worker_main.hpp"

namespace routevpn {

namespace {

using namespace channel;

void print(const std::string& line) {
  std::cerr << "fake: " << line << std::endl;
}

// Until the monitor kills the process.
[[noreturn]] void hang() {
  print("hangs");
  for (;;) poll(nullptr, 0, -1);
}

// A script uses it for all that it sends and receives. A fault ends the process with an exception.
class Pair {
 public:
  Pair() : channel_(Fd(worker_descriptor)) {}

  template <typename T>
  void send(const T& message) {
    if (channel_.send(message, true) != SendResult::ok) throw SystemError("the monitor is gone");
  }
  // Skips messages of other kinds.
  template <typename T>
  T wait_for() {
    for (;;) {
      Message message;
      if (channel_.receive(message, true) != ReceiveResult::ok) {
        throw SystemError("the monitor is gone");
      }
      if (const auto found = message.as<T>()) return *found;
    }
  }
  template <typename Answer, typename Request>
  Answer ask(const Request& request) {
    send(request);
    return wait_for<Answer>();
  }
  void close() { channel_.release().reset(); }

 private:
  Channel channel_;
};

// What it may not send after a Stop.
int stop(Pair& monitor) {
  monitor.send(Ready{});
  print("runs");
  print("refused 3");  // the monitor may kill it before it could print afterwards
  monitor.wait_for<Stop>();
  monitor.ask<CarrierSet>(SetCarrier{0});
  monitor.send(test::some_news());
  monitor.send(Ready{});
  monitor.send(Alive{});  // without a ping
  monitor.send(Ended{2});
  monitor.send(Ended{1});
  return 0;
}

int sign_often(Pair& monitor) {
  monitor.send(Ready{});
  int made = 0;
  int all = 0;
  for (; all < 2000; ++all) {
    if (monitor.ask<SignedDigest>(test::some_digest()).length != 0) ++made;
  }
  print("signatures " + std::to_string(made) + " of " + std::to_string(all));
  monitor.wait_for<Stop>();
  monitor.send(Ended{1});
  return 0;
}

// Requests without end, whose answers fill the pair.
int never_read(Pair& monitor) {
  monitor.send(Ready{});
  print("does not read");
  for (;;) monitor.send(SetMtu{0});
}

int close_pair(Pair& monitor) {
  monitor.send(Ready{});
  monitor.close();
  hang();
}

int end_and_hang(Pair& monitor) {
  monitor.send(Ready{});
  monitor.send(Ended{0});
  hang();
}

// The monitor has not asked for it.
int end_unasked(Pair& monitor) {
  monitor.send(Ready{});
  monitor.send(Ended{1});
  return 0;
}

int exit_early(Pair&) {
  return 3;
}

// Returns once the monitor is stopped. The test lets it go on.
void stop_monitor() {
  kill(getppid(), SIGSTOP);
  const std::string file = "/proc/" + std::to_string(getppid()) + "/stat";
  std::string status;
  while (status.find(") T ") == std::string::npos) {
    std::ifstream stat(file);
    std::getline(stat, status);
  }
}

// The monitor finds the worker dead before it has read the last message.
int carrier_on_and_end(Pair& monitor) {
  monitor.send(Ready{});
  stop_monitor();
  // The monitor reads 32 messages a turn. Of two turns, the first may have begun before the stop.
  constexpr int more_than_two_turns = 100;
  for (int i = 0; i < more_than_two_turns; ++i) monitor.send(Alive{});
  monitor.send(SetCarrier{1});
  print("ends");
  return 3;
}

// Reports that the link is up, and ends.
int announce_and_end(Pair& monitor) {
  monitor.send(Ready{});
  auto news = test::some_news();
  news.state = LinkState::up;
  monitor.send(news);
  return 3;
}

// Lets the monitor leave, and asks for something more before the monitor has read its consent.
int leave_and_ask(Pair& monitor) {
  monitor.send(Ready{});
  monitor.ask<CarrierSet>(SetCarrier{1});
  print("runs");
  monitor.wait_for<Outlive>();
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  stop_monitor();
  monitor.send(Outlives{});
  monitor.send(SetMtu{1300});
  kill(getppid(), SIGCONT);
  monitor.wait_for<MtuSet>();
  print("answered");
  hang();
}

// Takes the first reload and refuses the second, which it also answers twice. It ends at the third.
int reload_thrice(Pair& monitor) {
  monitor.send(Ready{});
  print("runs");
  for (const int taken : {1, 0}) {
    const auto wanted = monitor.wait_for<Reload>();
    monitor.send(Reloaded{static_cast<std::uint8_t>(taken), wanted.number});
  }
  const auto wanted = monitor.wait_for<Reload>();
  monitor.send(Reloaded{1, wanted.number - 1});
  monitor.send(Reloaded{2, wanted.number});
  monitor.send(Reloaded{1, wanted.number + 1});
  monitor.ask<MtuSet>(SetMtu{0});  // the monitor has read them, and refuses this one too
  return 3;
}

int never_ready(Pair&) {
  hang();
}

int hang_at_stop(Pair& monitor) {
  monitor.send(Ready{});
  print("runs");
  monitor.wait_for<Stop>();
  hang();
}

const std::map<std::string, std::function<int(Pair&)>> scripts = {
    {"stop", stop},
    {"sign_often", sign_often},
    {"never_read", never_read},
    {"close_pair", close_pair},
    {"end_and_hang", end_and_hang},
    {"end_unasked", end_unasked},
    {"exit_early", exit_early},
    {"announce_and_end", announce_and_end},
    {"carrier_on_and_end", carrier_on_and_end},
    {"leave_and_ask", leave_and_ask},
    {"reload_thrice", reload_thrice},
    {"never_ready", never_ready},
    {"hang_at_stop", hang_at_stop},
};

}  // namespace

int worker_main() {
  const char* name = std::getenv("FAKE_WORKER_SCRIPT");
  const auto script = scripts.find(name != nullptr ? name : "");
  if (script == scripts.end()) throw SystemError("FAKE_WORKER_SCRIPT names no script");
  Pair monitor;
  monitor.wait_for<Start>();
  return script->second(monitor);
}

}  // namespace routevpn
