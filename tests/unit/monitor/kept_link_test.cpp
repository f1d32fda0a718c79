#include "routevpn/monitor/kept_link.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/fields.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::monitor;
using namespace std::chrono_literals;

namespace {

KeptState example() {
  KeptState state;
  state.version = 7;
  state.options = "ifname = rv0\n";
  state.credentials = "certificates";
  state.ifname = "rv0";
  state.public_netns = 11;
  state.private_netns = 12;
  state.udp_offload = true;
  state.socket_is_v4 = true;
  state.mtu = 1400;
  state.carrier = true;
  state.flaps = 3;
  state.key = 4;
  state.reloads = 5;
  state.answered = false;
  state.routes_ignored = true;
  state.announced = channel::LinkState::up;
  state.status = "STATUS=up: connected";
  state.worker_pid = 100;
  state.worker_uid = 65534;
  state.guardian_pid = 101;
  state.leftovers = {"routevpn-rv0", {"ipv4", "ipv6"}, std::string("\0\1\2", 3)};
  state.gasps = {{{1, 2, 3}, {{IpAddress::v4({192, 0, 2, 1}), 7754}, std::nullopt}}, {}};
  return state;
}

// Runs the check in a child with these descriptors from 3 on, as the service manager passes them.
bool with_descriptors(const std::vector<int>& fds, const std::string& names,
                      const std::function<bool()>& check) {
  const pid_t child = fork();
  if (child == 0) {
    for (std::size_t i = 0; i < fds.size(); ++i) dup2(fds[i], 500 + static_cast<int>(i));
    for (int i = 0; i < static_cast<int>(fds.size()); ++i) dup2(500 + i, 3 + i);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    setenv("LISTEN_FDNAMES", names.c_str(), 1);
    _exit(check() ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status == 0;
}

Fd memory(ConstBytes content) {
  Fd file(memfd_create("state", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) ==
          static_cast<ssize_t>(content.size()));
  return file;
}

std::vector<std::uint8_t> written(KeptState state) {
  std::vector<std::uint8_t> room(10000);
  FieldWriter writer(room);
  fields(writer, state);
  REQUIRE(writer.fits());
  room.resize(writer.bytes());
  return room;
}

}  // namespace

TEST_CASE("every field of a kept state is read back") {
  const Fd file = memory(written(example()));
  CHECK(with_descriptors({file.get()}, "state", [] {
    const auto link = KeptLink::take(getuid());
    if (!link) return false;
    const KeptState& read = link->state();
    const KeptState wanted = example();
    return read.version == wanted.version && read.options == wanted.options &&
           read.credentials == wanted.credentials && read.ifname == wanted.ifname &&
           read.public_netns == 11 && read.private_netns == 12 && read.udp_offload &&
           read.socket_is_v4 && read.mtu == 1400 && read.carrier && read.flaps == 3 &&
           read.key == 4 && read.reloads == 5 && !read.answered && read.routes_ignored &&
           read.announced == channel::LinkState::up && read.status == wanted.status &&
           read.worker_pid == 100 && read.worker_uid == 65534 && read.guardian_pid == 101 &&
           read.leftovers.table == wanted.leftovers.table &&
           read.leftovers.forwarding == wanted.leftovers.forwarding &&
           read.leftovers.removals == wanted.leftovers.removals && read.gasps == wanted.gasps;
  }));
}

TEST_CASE("a state that is cut or longer, or missing, is no link") {
  auto bytes = written(example());
  const auto refused = [](ConstBytes content) {
    const Fd file = memory(content);
    return with_descriptors({file.get()}, "state",
                            [] { return !KeptLink::take(getuid()).has_value(); });
  };
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    CHECK(refused(ConstBytes(bytes).first(size)));
  }
  bytes.push_back(0);
  CHECK(refused(bytes));
  const Fd other = memory({});
  CHECK(with_descriptors({other.get()}, "pair",
                         [] { return !KeptLink::take(getuid()).has_value(); }));
  CHECK(with_descriptors({}, "", [] { return !KeptLink::take(getuid()).has_value(); }));
}

TEST_CASE("a kept link fits the same version, options and namespaces, with every descriptor") {
  options::LinkOptions options;
  options.ifname = "rv0";
  options.lanes = 2;
  const auto here = host::Netns::current();
  auto state = example();
  state.version = channel::version;
  state.options = lasting_options(options);
  state.public_netns = state.private_netns = here.inode();
  const std::string names = "state:pair:worker:memory:guardian-pipe:guardian:udp0:tun0:udp1:tun1";
  const auto misfit = [&](KeptState kept, const std::string& given) {
    const Fd file = memory(written(std::move(kept)));
    const Fd other = memory({});
    std::vector<int> fds(10, other.get());
    fds.front() = file.get();
    std::string reason;
    const Fd low(memfd_create("answer", MFD_CLOEXEC));
    const Fd answer(fcntl(low.get(), F_DUPFD_CLOEXEC, 600));  // the child overwrites lower ones
    with_descriptors(fds, given, [&] {
      const auto link = KeptLink::take(getuid());
      const auto space = host::Netns::current();
      const auto why = link ? link->misfit(options, space, space).value_or("none") : "no link";
      const auto put = ::write(answer.get(), why.data(), why.size());
      _exit(put > 0 ? 0 : 1);
      return true;
    });
    reason.resize(200);
    const auto got = pread(answer.get(), reason.data(), reason.size(), 0);
    reason.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return reason;
  };
  CHECK(misfit(state, names) == "none");
  for (const std::string missing :
       {"pair", "worker", "memory", "guardian-pipe", "guardian", "udp0", "tun0", "udp1", "tun1"}) {
    auto given = names;
    given.replace(given.find(":" + missing) + 1, missing.size(), "other");
    CHECK(misfit(state, given) == "descriptors are missing");
  }
  auto other = state;
  ++other.version;
  CHECK(misfit(other, names) == "it is of another version of routevpn");
  other = state;
  other.options += "mtu = 1300\n";
  CHECK(misfit(other, names) == "its options were others");
  other = state;
  ++other.private_netns;
  CHECK(misfit(other, names) == "its network namespaces were others");
  other = state;
  other.gasps.pop_back();
  CHECK(misfit(other, names) == "descriptors are missing");
}

TEST_CASE("options that a new worker applies do not keep it from taking over") {
  const options::LinkOptions options;
  const auto changes = [&](const auto& change) {
    options::LinkOptions changed = options;
    change(changed);
    return lasting_options(changed) != lasting_options(options);
  };
  using Options = options::LinkOptions;
  CHECK_FALSE(changes([](Options& o) { o.rekey = 60s; }));
  CHECK_FALSE(changes([](Options& o) { o.detection = options::Detection::fast; }));
  CHECK_FALSE(changes([](Options& o) { o.keepalive = 100ms; }));
  CHECK_FALSE(changes([](Options& o) { o.dead_after = 1000ms; }));
  CHECK_FALSE(changes([](Options& o) { o.up_delay = 1s; }));
  CHECK_FALSE(changes([](Options& o) { o.crl = "/x"; }));
  CHECK_FALSE(changes([](Options& o) { o.certificate = "/x"; }));
  CHECK_FALSE(changes([](Options& o) { o.peer_name = "x"; }));
  CHECK_FALSE(changes([](Options& o) { o.on_state = "true"; }));
  CHECK_FALSE(changes([](Options& o) { o.dscp = 46; }));
  CHECK_FALSE(changes([](Options& o) { o.accept = {IpPrefix::parse("10.0.0.0/8")}; }));
  CHECK(changes([](Options& o) { o.accept = {std::nullopt}; }));
  CHECK(changes([](Options& o) { o.ifname = "rv7"; }));
  CHECK(changes([](Options& o) { o.netns = "x"; }));
  CHECK(changes([](Options& o) { o.public_netns = "x"; }));
  CHECK(changes([](Options& o) { o.lanes = 2; }));
  CHECK(changes([](Options& o) { o.peers = {{"192.0.2.1", 7754}}; }));
  CHECK(changes([](Options& o) { o.listen = options::ListenAddress{}; }));
  CHECK(changes([](Options& o) { o.addresses = {*IpPrefix::parse("10.0.0.1/30")}; }));
  CHECK(changes([](Options& o) { o.routes = {*IpPrefix::parse("10.0.0.0/8")}; }));
  CHECK(changes([](Options& o) { o.mtu = 1300; }));
  CHECK(changes([](Options& o) { o.nat = true; }));
  CHECK(changes([](Options& o) { o.fwmark = 1; }));
  CHECK(changes([](Options& o) { o.table = 1; }));
  CHECK(changes([](Options& o) { o.allow = {*IpPrefix::parse("192.0.2.0/24")}; }));
  CHECK(changes([](Options& o) { o.user = "x"; }));
  CHECK(changes([](Options& o) { o.run_dir = "/x"; }));
}

TEST_CASE("a worker that has outlived a killed monitor is ended") {
  const pid_t worker = fork();
  if (worker == 0) {
    for (;;) pause();
  }
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, worker, 0)));
  CHECK(with_descriptors({process.get()}, "worker",
                         [] { return !KeptLink::take(getuid()).has_value(); }));
  pollfd ended{process.get(), POLLIN, 0};
  CHECK(poll(&ended, 1, 20'000) == 1);
  kill(worker, SIGKILL);
  waitpid(worker, nullptr, 0);
}
