#include "routevpn/outside/resolve.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/mount.h>
#include <unistd.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

Resolution answer(Resolver& resolver) {
  if (!wait_for(resolver.fd(), POLLIN)) throw std::runtime_error("no answer within the deadline");
  return resolver.take().value();
}

// Replaces `path` by a file with this text, for the calling thread only.
void replace(const std::string& path, const std::string& text) {
  const std::string source =
      std::filesystem::temp_directory_path() / ("routevpn-resolve-" + std::to_string(getpid()));
  std::ofstream(source) << text;
  const int failed = mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr);
  const int error = errno;
  std::filesystem::remove(source);
  if (failed != 0) throw system_error("mount over " + path, error);
}

// A name service of our own for the calling thread: /etc/hosts, and DNS on the loopback.
void set_names() {
  if (unshare(CLONE_NEWNS) != 0) throw system_error("a mount namespace (needs root)");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) throw system_error("mount");
  replace("/etc/nsswitch.conf", "hosts: files dns\n");
  replace("/etc/resolv.conf", "nameserver 127.0.0.1\n");
  replace("/etc/hosts",
          "127.0.0.1 gateway.example\n"
          "::1 gateway.example\n");
}

bool a_resolver_thread_runs() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name == "resolver") return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a numeric address resolves at once") {
  Resolver resolver;
  const auto [host, text] = GENERATE(table<const char*, const char*>({
      {"192.0.2.1", "192.0.2.1:7754"},
      {"2001:db8::1", "[2001:db8::1]:7754"},
      {"::ffff:192.0.2.1", "192.0.2.1:7754"},
  }));
  CHECK_FALSE(resolver.take().has_value());
  REQUIRE(resolver.ask(host, 7754));
  const auto resolution = resolver.take();
  REQUIRE(resolution.has_value());
  CHECK(resolution->host == host);
  CHECK(resolution->error.empty());
  REQUIRE(resolution->addresses.size() == 1);
  CHECK(resolution->addresses[0].to_string() == text);
  CHECK_FALSE(resolver.take().has_value());
}

TEST_CASE("the result stays until it is taken, and only then the next query starts") {
  Resolver resolver;
  REQUIRE(resolver.ask("192.0.2.1", 1));
  CHECK_FALSE(resolver.ask("192.0.2.2", 2));
  CHECK(answer(resolver).addresses[0].to_string() == "192.0.2.1:1");
  REQUIRE(resolver.ask("192.0.2.2", 2));
  CHECK(answer(resolver).addresses[0].to_string() == "192.0.2.2:2");
}

TEST_CASE("a name resolves to all its addresses, or to the reason of the failure") {
  on_a_thread([] {
    const PrivateNetwork network;
    set_names();
    Resolver resolver;
    REQUIRE(resolver.ask("gateway.example", 7754));
    const Resolution found = answer(resolver);
    CHECK(found.host == "gateway.example");
    CHECK(found.error.empty());
    std::vector<std::string> texts;
    for (const auto& address : found.addresses) texts.push_back(address.to_string());
    std::sort(texts.begin(), texts.end());
    CHECK(texts == std::vector<std::string>{"127.0.0.1:7754", "[::1]:7754"});

    REQUIRE(resolver.ask("not a name", 7754));
    const Resolution none = answer(resolver);
    CHECK(none.addresses.empty());
    CHECK(none.error == "Name or service not known");

    // No server listens.
    REQUIRE(resolver.ask("unreachable.example", 7754));
    CHECK(answer(resolver).error == "Temporary failure in name resolution");
  });
}

TEST_CASE("a query in progress blocks neither ask() nor the destructor") {
  on_a_thread([] {
    const PrivateNetwork network;
    set_names();
    const UdpSocket silent_server = UdpSocket::open({ip("127.0.0.1"), 53, 0});
    {
      Resolver resolver;
      REQUIRE(resolver.ask("silent.example", 7754));
      REQUIRE(wait_for(silent_server.fd(), POLLIN));
      CHECK_FALSE(resolver.ask("gateway.example", 7754));
      CHECK_FALSE(resolver.take().has_value());
    }
    CHECK(a_resolver_thread_runs());
  });
}

TEST_CASE("queries run in the namespace in which the resolver was created") {
  const PrivateNetwork here;
  run("ip link add va type veth peer name vb");
  Resolver resolver;
  {
    const PrivateNetwork elsewhere;
    REQUIRE(resolver.ask("fe80::1%va", 7754));
    const Resolution found = answer(resolver);
    REQUIRE(found.addresses.size() == 1);
    CHECK(found.addresses[0].address == ip("fe80::1"));
    CHECK(found.addresses[0].scope > 1);
    CHECK(found.addresses[0].port == 7754);

    Resolver stranger;
    REQUIRE(stranger.ask("fe80::1%va", 7754));
    CHECK(answer(stranger).addresses.empty());
  }
}
