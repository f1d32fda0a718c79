#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

// Valid credentials of a gateway, and a file of options that names them.
class Gateway {
 public:
  Gateway() {
    const auto& dir = scratch_.path();
    pki::create_authority({dir});
    pki::create_request({dir, "a"});
    pki::sign({dir, "a", std::nullopt});
  }
  [[nodiscard]] std::string file(const std::string& options) const {
    const auto at = [&](const char* file) { return scratch_.path() + "/" + file + "\n"; };
    return scratch_.write("a.conf", options + "cert = " + at("a.cert") + "key = " + at("a.key") +
                                        "ca = " + at("ca.cert"));
  }

 private:
  ScratchDirectory scratch_;
};

Outcome check(const std::string& file) {
  return outcome_of([&](const Console& console) {
    return run_check(parse_words("check --config " + file), console);
  });
}

}  // namespace

TEST_CASE("check prints the settings as a file with the same meaning") {
  const Gateway gateway;
  const ScratchDirectory scratch;
  const auto outcome = check(gateway.file("listen = 1\npeer-name = b\n"));
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  CHECK(check(scratch.write("b.conf", outcome.out)).out == outcome.out);
}

TEST_CASE("check prints client and server as what they stand for") {
  const Gateway gateway;
  const auto file = gateway.file("client = yes\nhost = 192.0.2.1\n");
  const auto outcome = check(file);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.out, ContainsSubstring("peer = 192.0.2.1:7754\n") &&
                              ContainsSubstring("ifname = tun0\n") &&
                              ContainsSubstring("peer-name = *\n"));
  CHECK(outcome.err == "routevpn: warning: " + file +
                           ":1: client without --peer-name: any certificate of the CA is accepted "
                           "as the peer\n");
}

TEST_CASE("check reports the faults of options, credentials and namespaces together") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a.conf",
                                  "listen = 1\npeer-name = b\nfoo = 1\ncolour = 2\n"
                                  "cert = none.cert\nkey = none.key\nca = none.ca\ncrl = none.crl\n"
                                  "psk = none.psk\n"
                                  "public-netns = /none\n");
  const auto outcome = check(file);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  std::string expected = "routevpn: " + file + ":3: unknown option 'foo'\n" + "routevpn: " + file +
                         ":4: unknown option 'colour'\n";
  for (const std::string option : {"cert", "key", "ca", "crl", "psk"}) {
    expected += "routevpn: --" + option + " none." + option +
                ": cannot be read: No such file or directory\n";
  }
  CHECK(outcome.err.starts_with(expected + "routevpn: --public-netns /none: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 8);
}

TEST_CASE("a fault that ends without a change of the options has status 1") {
  const Gateway gateway;
  const std::string options = "listen = 1\npeer-name = b\npublic-netns = /none\n";
  CHECK(check(gateway.file(options)).status == 1);
  CHECK(check(gateway.file(options + "foo = 1\n")).status == 2);
  CHECK(check(gateway.file(options + "crl = none.crl\n")).status == 2);
}

TEST_CASE("check refuses a configuration and a hook that another user can change") {
  const Gateway gateway;
  const ScratchDirectory scratch;
  const auto hook = scratch.write("hook", "#!/bin/sh\n");
  std::filesystem::permissions(hook, std::filesystem::perms{0757});
  const auto file = gateway.file("listen = 1\npeer-name = b\non-state = " + hook + " up; true\n");
  CHECK(check(file).err == "routevpn: --on-state " + hook +
                               ": mode is 0757; must be writable by its owner alone (chmod go-w " +
                               hook + ")\n");
  std::filesystem::permissions(hook, std::filesystem::perms{0755});
  CHECK(check(file).err.empty());
  const auto faults = [&] { return parse_words("check --config " + file).faults; };
  std::filesystem::permissions(file, std::filesystem::perms{0664});
  CHECK(faults() ==
        Lines{file + ": mode is 0664; must be writable by its owner alone (chmod go-w " + file +
              ")"});
  std::filesystem::permissions(file, std::filesystem::perms{0644});
  if (geteuid() != 0) return;  // only root can give a file away
  REQUIRE(chown(file.c_str(), 64999, 64999) == 0);
  REQUIRE(faults().size() == 1);
  CHECK(faults()[0].starts_with(file + ": owner is user 64999; must be root"));
}

TEST_CASE("check has a line for each wrong file, also for readable ones") {
  const Gateway gateway;
  const ScratchDirectory scratch;
  const auto junk = scratch.write("junk", "junk");
  std::string text;
  for (const std::string option : {"cert", "key", "ca", "crl"})
    text += option + " = " + junk + "\n";
  const auto outcome = check(scratch.write("a.conf", "listen = 1\npeer-name = b\n" + text));
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.err, ContainsSubstring("routevpn: --cert " + junk + ": not PEM") &&
                              ContainsSubstring("routevpn: --key " + junk + ": mode is 0644; ") &&
                              ContainsSubstring("routevpn: --ca " + junk + ": not PEM") &&
                              ContainsSubstring("routevpn: --crl " + junk + ": not PEM"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 4);
}

TEST_CASE("a terminal gets no control characters from a command line") {
  std::ostringstream err;
  const Console console{err, err};
  console.report(std::string("unknown option --\x1b[2J\xc2\x9b\xff"));
  CHECK(err.str() == "routevpn: unknown option --\\x1b[2J\\xc2\\x9b\\xff\n");
}

TEST_CASE("NO_COLOR and a dumb terminal turn colours off") {
  CHECK(shows_colour(nullptr, "xterm"));
  CHECK(shows_colour("", nullptr));
  CHECK_FALSE(shows_colour("1", "xterm"));
  CHECK_FALSE(shows_colour(nullptr, "dumb"));
}
