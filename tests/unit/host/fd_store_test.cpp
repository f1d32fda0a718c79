#include "routevpn/host/fd_store.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/clock.hpp"

#include "catch.hpp"
#include "socket_message.hpp"
#include "stored_descriptors.hpp"

using namespace routevpn;
using namespace routevpn::host;
using namespace std::chrono_literals;

namespace {

struct Notification {
  std::string text;
  Fd fd;
};

// The service manager's end.
class Store {
 public:
  Store()
      : name_("/tmp/rvtest-store-" + std::to_string(getpid())),
        socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    REQUIRE(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~Store() {
    unsetenv("NOTIFY_SOCKET");
    unlink(name_.c_str());
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] Notification received() const {
    const auto message = test::take_message(socket_.get());
    if (!message) return {"nothing", Fd()};
    Notification notification{{message->bytes.begin(), message->bytes.end()}, Fd()};
    int fd = -1;
    if (message->control.size() != sizeof fd) return notification;
    std::memcpy(&fd, message->control.data(), sizeof fd);
    notification.fd.reset(fd);
    return notification;
  }

 private:
  std::string name_;
  Fd socket_;
};

ino_t inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

// A program systemctl, first in PATH.
class Systemctl {
 public:
  explicit Systemctl(const std::string& script)
      : folder_("/tmp/rvtest-systemctl-" + std::to_string(getpid())), path_(std::getenv("PATH")) {
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ + "/systemctl") << "#!/bin/sh\n" << script << "\n";
    chmod((folder_ + "/systemctl").c_str(), 0700);
    setenv("PATH", (folder_ + ":" + path_).c_str(), 1);
  }
  ~Systemctl() {
    setenv("PATH", path_.c_str(), 1);
    std::filesystem::remove_all(folder_);
  }
  Systemctl(const Systemctl&) = delete;
  Systemctl& operator=(const Systemctl&) = delete;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::string path_;
};

}  // namespace

TEST_CASE("a descriptor is stored under its name, without a check of its errors") {
  const Store store;
  const Fd file(memfd_create("x", MFD_CLOEXEC));
  REQUIRE(store_descriptor("udp0", file.get()));
  const auto stored = store.received();
  CHECK(stored.text == "FDSTORE=1\nFDPOLL=0\nFDNAME=udp0");
  CHECK(inode_of(stored.fd.get()) == inode_of(file.get()));
  remove_stored_descriptor("udp0");
  CHECK(store.received().text == "FDSTOREREMOVE=1\nFDNAME=udp0");
}

TEST_CASE("without a service manager no descriptor is stored") {
  unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(store_descriptor("udp0", STDIN_FILENO));
  CHECK_FALSE(wait_for_service_manager(1ms));
}

TEST_CASE("the wait for the service manager ends when it closes the barrier, or in time") {
  const Store store;
  CHECK_FALSE(wait_for_service_manager(10ms));
  CHECK(store.received().text == "BARRIER=1");
  const pid_t child = fork();
  if (child == 0) {
    Notification barrier;
    do {
      barrier = store.received();
    } while (barrier.text != "BARRIER=1");
    _exit(0);
  }
  CHECK(wait_for_service_manager(20s));
  // The child's copy was the last, because `store` has the datagram no longer.
  waitpid(child, nullptr, 0);
}

TEST_CASE("each removal of a descriptor reaches a service manager whose queue is full") {
  const Store store;
  constexpr int removals = 600;  // more than systemd's net.unix.max_dgram_qlen, 512
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < removals; ++i) remove_stored_descriptor("udp0");
    _exit(0);
  }
  // Until the queue is full: the child has ended, or waits in sendmsg(2).
  std::string state;
  while (state != "S" && state != "Z") {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string skipped;
    stat >> skipped >> skipped >> state;
  }
  int received = 0;
  const Time end = read_clock() + 20s;
  bool has_ended = false;
  for (;;) {
    const bool ended_before = has_ended;
    has_ended = has_ended || waitpid(child, nullptr, WNOHANG) == child;
    while (store.received().text != "nothing") ++received;
    if (ended_before || read_clock() > end) break;
  }
  CHECK(received == removals);
}

TEST_CASE("without a free descriptor for a barrier the wait fails, and does not throw") {
  const Store store;
  const pid_t child = fork();
  if (child == 0) {
    const int next = dup(STDIN_FILENO);  // the lowest that is free
    close(next);
    const rlimit one_more{static_cast<rlim_t>(next) + 1, static_cast<rlim_t>(next) + 1};
    setrlimit(RLIMIT_NOFILE, &one_more);
    bool right = false;
    try {
      right = !wait_for_service_manager(1ms);
      remove_stored_descriptor("udp0");  // one is enough for it
    } catch (...) {
      right = false;
    }
    _exit(right ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(store.received().text == "FDSTOREREMOVE=1\nFDNAME=udp0");
}

TEST_CASE("stored descriptors are taken with their names, once, and closed on exec") {
  const bool for_us = GENERATE(true, false);
  const Fd pair(memfd_create("a", MFD_CLOEXEC));
  const Fd udp(memfd_create("b", MFD_CLOEXEC));
  CHECK(test::with_descriptors({pair.get(), udp.get()}, "pair:udp0", [for_us] {
    if (!for_us) setenv("LISTEN_PID", std::to_string(getpid() + 1).c_str(), 1);
    const auto all = take_stored_descriptors();
    const bool once = take_stored_descriptors().empty() && std::getenv("LISTEN_FDS") == nullptr;
    if (!once || !for_us) return once && all.empty();
    return all.size() == 2 && all[0].name == "pair" && all[1].name == "udp0" &&
           all[0].fd.get() == 3 && all[1].fd.get() == 4 && fcntl(3, F_GETFD) == FD_CLOEXEC;
  }));
}

TEST_CASE("a restart is known by the job of the unit") {
  const Systemctl systemctl(R"(echo "$@" >"$(dirname "$0")/asked"
echo "7 other@rv0.service restart waiting"
echo "8 routevpn@rv0.service restart running"
echo "9 routevpn@rv1.service stop running")");
  CHECK(is_restarting("routevpn@rv0.service", 20s));
  CHECK_FALSE(is_restarting("routevpn@rv1.service", 20s));
  CHECK_FALSE(is_restarting("routevpn@rv2.service", 20s));
  std::string asked;
  std::getline(std::ifstream(systemctl.folder() + "/asked"), asked);
  CHECK(asked == "list-jobs --plain --no-legend routevpn@rv2.service");
}

TEST_CASE("a systemctl that hangs or is missing means that nothing restarts") {
  {
    const Systemctl hangs("exec sleep 1000");
    const Time begin = read_clock();
    CHECK_FALSE(is_restarting("routevpn@rv0.service", 100ms));
    CHECK(read_clock() - begin < 20s);
  }
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  CHECK_FALSE(is_restarting("routevpn@rv0.service", 20s));
  setenv("PATH", path.c_str(), 1);
}
