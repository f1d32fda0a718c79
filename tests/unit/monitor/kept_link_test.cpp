#include "routevpn/monitor/kept_link.hpp"

#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#include "catch.hpp"
#include "stored.hpp"

using namespace routevpn;
using namespace routevpn::monitor;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("every field of a kept state is read back") {
  const Fd file = memory(written(example()));
  CHECK(with_descriptors({file.get()}, "state", [] {
    const auto link = KeptLink::take(getuid());
    if (!link) return false;
    const KeptState& read = link->state();
    const KeptState wanted = example();
    return read.prefix.magic == KeptPrefix::wanted_magic &&
           read.prefix.version == channel::version && read.options == wanted.options &&
           read.credentials == wanted.credentials && read.ifname == wanted.ifname &&
           read.public_netns == 11 && read.private_netns == 12 && read.udp_offload &&
           read.prefix.socket_is_v4 && read.mtu == 1400 && read.carrier && read.flaps == 3 &&
           read.key == 4 && read.reloads_told == 5 && read.reloads_answered == 4 &&
           !read.answered && read.routes_ignored && read.announced == channel::LinkState::up &&
           read.status == wanted.status && read.prefix.worker_pid == 100 &&
           read.prefix.worker_uid == 65534 && read.prefix.guardian_pid == 101 &&
           read.leftovers.table == wanted.leftovers.table &&
           read.leftovers.forwarding == wanted.leftovers.forwarding &&
           read.leftovers.removals == wanted.leftovers.removals &&
           read.prefix.gasps == wanted.prefix.gasps;
  }));
}

TEST_CASE("a state that is missing, or cut within its prefix, is no link") {
  const auto bytes = written(example());
  for (std::size_t size = 0; size < written(example().prefix).size(); ++size) {
    const Fd file = memory(ConstBytes(bytes).first(size));
    CHECK(with_descriptors({file.get()}, "state",
                           [] { return !KeptLink::take(getuid()).has_value(); }));
  }
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
  ++other.prefix.version;
  CHECK(misfit(other, names) == "it is of another version of routevpn");
  other = state;
  other.options += "mtu = 1300\n";
  CHECK(misfit(other, names) == "its options were others");
  other = state;
  ++other.private_netns;
  CHECK(misfit(other, names) == "its network namespaces were others");
  other = state;
  other.prefix.gasps.pop_back();
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
