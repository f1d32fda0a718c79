#include "routevpn/cli/check.hpp"

#include "routevpn/base/error.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;

namespace {

const Examination no_fault = {[](const options::LinkOptions&) { return Lines(); },
                              [](const std::string&, const std::string&) {}};

Outcome check(const std::string& file, const Examination& examination = no_fault) {
  return outcome_of([&](const Console& console) {
    return run_check(parse_words("check --config " + file), examination, console);
  });
}

}  // namespace

TEST_CASE("check prints the settings as a file with the same meaning") {
  const ScratchDirectory scratch;
  const auto outcome = check(scratch.write("a.conf", "listen = 1\npeer-name = b\n"));
  CHECK(outcome.err.empty());
  CHECK(outcome.status == 0);
  CHECK(check(scratch.write("b.conf", outcome.out)).out == outcome.out);
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
  const Examination failing = {
      [](const options::LinkOptions& options) { return Lines{options.certificate + ": expired"}; },
      [](const std::string& name, const std::string& option) {
        if (name == "outside") throw SystemError(option + " " + name + ": no such namespace");
      },
  };
  const auto path = scratch.write("a.conf",
                                  "listen = 1\npeer-name = b\ncert = a.cert\nnetns = private\n"
                                  "public-netns = outside\nfoo = 1\ncolour = 2\n");
  const auto outcome = check(path, failing);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "routevpn: " + path + ":6: unknown option 'foo'\n" +         //
                           "routevpn: " + path + ":7: unknown option 'colour'\n" +  //
                           "routevpn: a.cert: expired\n"
                           "routevpn: --public-netns outside: no such namespace\n");
}

TEST_CASE("check reports each credential file that cannot be read") {
  const ScratchDirectory scratch;
  const auto file = scratch.write("a.conf",
                                  "listen = 1\npeer-name = b\ncert = none.cert\nkey = none.key\n"
                                  "ca = none.ca\ncrl = none.crl\n");
  const auto outcome = check(file, Examination::of_system());
  CHECK(outcome.status == 2);
  std::string expected;
  for (const std::string option : {"cert", "key", "ca", "crl"}) {
    expected += "routevpn: --" + option + " none." + option +
                ": cannot be read: No such file or directory\n";
  }
  CHECK(outcome.err == expected);
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
