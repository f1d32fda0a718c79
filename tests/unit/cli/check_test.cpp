#include <algorithm>
#include <string_view>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/link_table.hpp"
#include "routevpn/cli/run.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

// Everything the table has, with a value that is not the default.
constexpr std::string_view full =
    "listen = [2001:db8::1]:5801\n"
    "allow = 192.0.2.0/24\n"
    "allow = 2001:db8::/32\n"
    "public-netns = outside\n"
    "fwmark = 16\n"
    "dscp = copy\n"
    "ifname = rv3-1\n"
    "address = 10.255.0.5/30\n"
    "address = 2001:db8:ff::5/127\n"
    "netns = private\n"
    "mtu = 1400\n"
    "lanes = 2\n"
    "route = 10.3.0.0/16\n"
    "table = 77\n"
    "nat = yes\n"
    "cert = a.cert\n"
    "key = a.key\n"
    "ca = my ca.cert\n"
    "crl = ca.crl\n"
    "peer-name = V3-1\n"
    "ciphers = ECDHE-ECDSA-CHACHA20-POLY1305\n"
    "crypto = openssl\n"
    "rekey = 600\n"
    "rekey-records = 20000\n"
    "keepalive = 100\n"
    "dead-after = 350\n"
    "up-delay = 500\n"
    "on-state = \"logger '# \\\"x\\\"'\"\n"
    "run-dir = /run/lab\n"
    "log-level = debug\n"
    "log-format = json\n";

const Probes content = {[](const LinkOptions&) {}, [](const std::string&, const std::string&) {}};

Outcome check(const std::string& file, const Probes& probes = content) {
  return outcome_of([&](const Console& console) {
    return run_check(parse({"check", "--config", file}), probes, console);
  });
}

}  // namespace

TEST_CASE("check prints the settings as a file that says the same") {
  const ScratchDirectory scratch;
  const auto outcome = check(scratch.write("a.conf", std::string(full)));
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  CHECK(outcome.out == full);
}

TEST_CASE("every option of a file stands in what check prints") {
  LinkDraft draft;
  const std::string peer_file = "peer = b:1\n" + std::string(full);
  for (const auto& option : link_table(draft)) {
    const bool rewritten = option.name == "client" || option.name == "server" ||
                           option.name == "host" || option.name == "port";
    if (option.command_line_only || rewritten) continue;
    CAPTURE(option.name);
    CHECK_THAT("\n" + peer_file, ContainsSubstring("\n" + std::string(option.name) + " = "));
  }
}

TEST_CASE("client and server are printed as what they stand for") {
  const ScratchDirectory scratch;
  const auto outcome = check(scratch.write("a.conf", "client = yes\nhost = 192.0.2.1\n"));
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, ContainsSubstring("peer = 192.0.2.1:7754\n") &&
                              ContainsSubstring("ifname = tun0\n") &&
                              ContainsSubstring("peer-name = *\n"));
  CHECK(outcome.err == "routevpn: warning: " + scratch.path() +
                           "/a.conf:1: client without --peer-name: any certificate of the CA is "
                           "accepted as the peer\n");
}

TEST_CASE("check reports the faults of options, credentials and namespaces together") {
  const ScratchDirectory scratch;
  const Probes failing = {
      [](const LinkOptions& options) { throw UsageError(options.certificate + ": expired"); },
      [](const std::string& name, const std::string& option) {
        if (name == "outside") throw SystemError(option + " " + name + ": no such namespace");
      },
  };
  const auto path = scratch.write("a.conf", std::string(full) + "foo = 1\ncolour = 2\n");
  const auto line = 1 + std::count(full.begin(), full.end(), '\n');
  const auto outcome = check(path, failing);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "routevpn: " + path + ":" + std::to_string(line) +  //
                           ": unknown option 'foo'\n" +                    //
                           "routevpn: " + path + ":" + std::to_string(line + 1) +
                           ": unknown option 'colour'\n" +
                           "routevpn: a.cert: expired\n"
                           "routevpn: --public-netns outside: no such namespace\n");
}
