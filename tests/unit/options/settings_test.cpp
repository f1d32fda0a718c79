#include "routevpn/options/settings.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::options;

namespace {

struct Wrong {
  const char* words;
  const char* fault;
};

}  // namespace

TEST_CASE("a fault of a command line names the option, and the nearest option for an unknown one") {
  const auto wrong = GENERATE(values<Wrong>({
      {"--adress=10.0.0.1/30", "unknown option --adress; did you mean --address?"},
      {"--peer-nme=b", "unknown option --peer-nme; did you mean --peer-name?"},
      {"--kepalive=5", "unknown option --kepalive; did you mean --keepalive?"},
      {"--colour=2", "unknown option --colour"},
      {"--shape=2", "unknown option --shape"},
      {"--no-cage", "unknown option --no-cage"},
      {"-x", "unknown option -x"},
      {"--nat=yes", "--nat takes no value"},
      {"--mtu", "--mtu needs a value: N|auto"},
      {"-C", "--cert needs a value: FILE"},
      {"--mtu=", "--mtu needs a value: N|auto"},
      {"-C -a 10.0.0.1/30", "--cert needs a value: FILE"},
      {"--mtu 1400 --mtu 1300", "--mtu is given more than once"},
      {"-n a --ifname b", "--ifname is given more than once"},
      {"--cr=x", "--cr may mean --crl, --crl-grace, --crypto"},
      {"stray", "unexpected argument 'stray'"},
  }));
  CAPTURE(wrong.words);
  const auto faults = parse_words("--listen 1 --peer-name b " + std::string(wrong.words)).faults;
  CHECK(faults == Lines{wrong.fault});
}

TEST_CASE("what may be the value of an unknown option is not another fault") {
  CHECK(parse_words("--listen 1 --peer-name b --adress 10.0.0.1/30 -xy").faults ==
        Lines{"unknown option --adress; did you mean --address?", "unknown option -x"});
}

TEST_CASE("every fault of a command line is reported, in the order of the arguments") {
  CHECK(parse_words("--listen x --mtu 1 --peer-name b --foo -a y").faults ==
        Lines{"--listen x: port must be 1 to 65535", "--mtu 1: must be 576 to 16384 bytes, or auto",
              "unknown option --foo",
              "--address y: must be ADDRESS/LENGTH, like 10.1.2.230/30 or 2001:db8:ff::5/127"});
}

TEST_CASE("a value follows its option in each of the usual forms") {
  const auto* words =
      GENERATE("-n tun7 --listen 1 --peer-name b", "-ntun7 --listen=1 --peer-name=b",
               "--ifname tun7 --listen 1 --peer-n b", "--peer-name b --listen 1 --ifname=tun7");
  const auto line = parse_words(words);
  CHECK(line.faults.empty());
  CHECK(line.options.ifname == "tun7");
  CHECK(line.options.peer_name == "b");
}

TEST_CASE("flags may be joined, and the last letter may take a value") {
  const auto line = parse_words("-sn tun7");
  CHECK(line.faults.empty());
  CHECK(line.options.nat);
  CHECK(line.options.ifname == "tun7");
}

TEST_CASE("after -- every argument is an operand") {
  CHECK(parse_words("--listen 1 --peer-name b -- -a --nat").faults ==
        Lines{"unexpected argument '-a'", "unexpected argument '--nat'"});
}

TEST_CASE("a name is suggested only when it is near") {
  const Lines known = {"show", "check"};
  CHECK(suggestion("shw", known) == "; did you mean show?");
  CHECK(suggestion("chek", known, "--") == "; did you mean --check?");
  CHECK(suggestion("list", known).empty());
}
