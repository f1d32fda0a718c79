#include "routevpn/options/config_file.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::options;

namespace {

struct WrongLine {
  const char* line;
  const char* fault;  // behind "PATH:3"
};

constexpr auto minimum = "listen = 1\npeer-name = b\n";

}  // namespace

TEST_CASE("a configuration file sets the options of the command line") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("rv3-1.conf",
                                  "# V1-1 to V3-1\n"
                                  "\n"
                                  "peer = [2001:db8:3::1]:5801   # site 3\r\n"
                                  "peer=vpn.example:5802\n"
                                  "\taddress = 10.255.0.5/30\n"
                                  "address = 2001:db8:ff::5/127\n"
                                  "peer-name = V3-1\n"
                                  "nat = yes\n"
                                  "on-state = \"logger '# \\\"up\\\"' \\\\\"  # tell\n"
                                  "run-dir = /run/a#b");
  const auto line = parse({"--config", path});
  CHECK(line.faults.empty());
  const auto options = line.options;
  CHECK(options.link == "rv3-1");
  CHECK(options.config_file == path);
  CHECK(options.peers == std::vector<PeerAddress>{{"2001:db8:3::1", 5801}, {"vpn.example", 5802}});
  CHECK(options.addresses.size() == 2);
  CHECK(options.nat);
  CHECK(options.on_state == "logger '# \"up\"' \\");
  CHECK(options.run_dir == "/run/a#b");
}

TEST_CASE("a faulty line is named by file and number") {
  const auto wrong = GENERATE(values<WrongLine>({
      {"mtu 1400", ": expected 'name = value'"},
      {"[link]", ": expected 'name = value'"},
      {"mtu =", ": mtu needs a value: N|auto"},
      {"nat =", ": nat needs a value: yes or no"},
      {"nat = maybe", ": nat = maybe: must be yes or no"},
      {"mtu = 70", ": mtu = 70: must be 576 to 16384 bytes, or auto"},
      {"adress = 10.0.0.1/30", ": unknown option 'adress'; did you mean address?"},
      {"colour = 2", ": unknown option 'colour'"},
      {"config = other", ": config belongs on the command line"},
      {"help = yes", ": help belongs on the command line"},
      {"= 10.0.0.1:7754", ": unknown option ''"},
      {"-a = 10.0.0.1/30", ": unknown option '-a'"},
      {"peer-name = c", ": peer-name is set already in line 2"},
      {"on-state = \"logger", ": on-state has no closing quote"},
      {"on-state = \"logger\" x", ": on-state has text behind the closing quote"},
      {"table = 5", ": table: needs --route"},
      {"host = 192.0.2.1", ": host: needs --client or --server"},
      {"dead-after = 900", ": dead-after: 900 must be greater than keepalive, 1000 milliseconds"},
  }));
  CAPTURE(wrong.line);
  const ScratchDirectory scratch;
  const auto path = scratch.write("a.conf", minimum + std::string(wrong.line) + "\n");
  const auto line = parse({"--config", path});
  CHECK(line.faults == Lines{path + ":3" + wrong.fault});
  CHECK(line.request == ParsedLink::Request::link);
}

TEST_CASE("every fault of a file is reported, in the order of the lines") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("a.conf", "listen = 1\nmtu = 1\n\nnat = maybe\ntable = 5\n");
  CHECK(parse({"--config", path}).faults ==
        Lines{path + ":2: mtu = 1: must be 576 to 16384 bytes, or auto",
              path + ":4: nat = maybe: must be yes or no",
              path + ": peer-name is required: the name in the peer's certificate, or '*' for any "
                     "of the CA",
              path + ":5: table: needs --route"});
}

TEST_CASE("with an unknown name or a line without a name, no option is reported as missing") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("a.conf", "mtu = 1\nlisen = 2\n\nlisten\ntable = 5\n");
  CHECK(parse({"--config", path}).faults ==
        Lines{path + ":1: mtu = 1: must be 576 to 16384 bytes, or auto",
              path + ":2: unknown option 'lisen'; did you mean listen?",
              path + ":4: expected 'name = value'"});
}

TEST_CASE("a file that cannot be read is one fault") {
  const ScratchDirectory scratch;
  CHECK(parse({"--config", scratch.path() + "/none"}).faults ==
        Lines{scratch.path() + "/none: cannot be read: No such file or directory"});
  CHECK(parse({"--listen", "1", "--peer-name", "b", "--config", scratch.path() + "/none"}).faults ==
        Lines{scratch.path() + "/none: cannot be read: No such file or directory"});
  CHECK(parse({"--listen", "1", "--peer-name", "b", "--config", scratch.path()}).faults ==
        Lines{scratch.path() + ": not a regular file"});
}

TEST_CASE("an option on the command line replaces the option in the file, with all its values") {
  const ScratchDirectory scratch;
  const auto path = scratch.write(
      "a.conf", "peer = one\npeer = two\npeer-name = b\nmtu = 1400\naddress = 10.0.0.1/30\n");
  const auto options = parse({"--mtu", "1300", "--config", path, "--peer", "three"}).options;
  CHECK(options.peers == std::vector<PeerAddress>{{"three", 7754}});
  CHECK(options.mtu == 1300U);
  CHECK(options.addresses.size() == 1);
}

TEST_CASE("a server's file may turn its NAT off") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("a.conf", "server = yes\nnat = no\npeer-name = b\n");
  const auto line = parse({"--config", path});
  CHECK(line.faults.empty());
  CHECK_FALSE(line.options.nat);
}

TEST_CASE("the name of the link is the name of its file without directory and last suffix") {
  const ScratchDirectory scratch;
  CHECK(parse({"--config", scratch.write("V1.example.conf", minimum)}).options.link ==
        "V1.example");
  CHECK(parse({"--config", scratch.write("plain", minimum)}).options.link == "plain");
}

TEST_CASE("each line of any bytes is a setting or a fault") {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = 0; i < 64; ++i) {
      state = state * 1664525 + 1013904223;
      constexpr std::string_view alphabet("ab=\"\\# \n\0\r\t", 11);
      text += alphabet[(state >> 16) % alphabet.size()];
    }
    for (const auto& setting : parse_config(text, "f").settings) {
      CHECK((setting.value || setting.fault.starts_with("f:")));
      CHECK(setting.line > 0);
    }
  }
}

TEST_CASE("the example of the manual page has no fault") {
  std::ifstream page(std::string(ROUTEVPN_SOURCE_DIR) + "/src/man/routevpn.conf.5");
  std::string text(std::istreambuf_iterator<char>(page), {});
  const std::string begin = ".Bd -literal -offset indent\n";
  text = text.substr(text.find(begin) + begin.size());
  text = text.substr(0, text.find(".Ed"));
  const ScratchDirectory scratch;
  const auto parsed = parse({"--config", scratch.write("rv3-1.conf", text)});
  CHECK(parsed.faults.empty());
  CHECK(parsed.warnings.empty());
  CHECK(parsed.options.peers.size() == 1);
  CHECK(parsed.options.on_state == "logger '# of links changed'");
}
