#include "routevpn/cli/run.hpp"

#include "catch.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using std::chrono::milliseconds;

namespace {

struct Wrong {
  const char* words;
  const char* fault;
};

}  // namespace

TEST_CASE("what is no option is said, with the nearest one that is") {
  const auto wrong = GENERATE(values<Wrong>({
      {"--adress=10.0.0.1/30", "unknown option --adress; did you mean --address?"},
      {"--peer-nme=b", "unknown option --peer-nme; did you mean --peer-name?"},
      {"--kepalive=5", "unknown option --kepalive; did you mean --keepalive?"},
      {"--colour=2", "unknown option --colour"},
      {"--shape=2", "unknown option --shape"},
      {"--no-sandbox", "unknown option --no-sandbox"},
      {"-x", "unknown option -x"},
      {"--nat=yes", "--nat takes no value"},
      {"--mtu", "--mtu needs a value: N|auto"},
      {"-C", "--cert needs a value: FILE"},
      {"--mtu 1400 --mtu 1300", "--mtu is given more than once"},
      {"-n a --ifname b", "--ifname is given more than once"},
      {"--cr=x", "--cr may mean --crl, --crypto"},
      {"stray", "unexpected argument 'stray'"},
  }));
  CAPTURE(wrong.words);
  const auto faults = parse_words("--listen 1 --peer-name b " + std::string(wrong.words)).faults;
  CHECK(faults == Lines{wrong.fault});
}

TEST_CASE("each letter and name that is unknown is a fault, what may be its value is not") {
  CHECK(parse_words("--listen 1 --peer-name b --adress 10.0.0.1/30 -xy").faults ==
        Lines{"unknown option --adress; did you mean --address?", "unknown option -x",
              "unknown option -y"});
}

TEST_CASE("every fault of a command line is reported, not only the first") {
  CHECK(parse_words("--listen x --mtu 1 --peer-name b --foo -a y").faults ==
        Lines{"unknown option --foo", "--listen x: port must be 1 to 65535",
              "--mtu 1: must be 576 to 16384 bytes, or auto",
              "--address y: must be ADDRESS/LENGTH, like 10.1.2.230/30 or 2001:db8:ff::5/127"});
}

TEST_CASE("options take their values in each of getopt's forms") {
  const auto* words =
      GENERATE("-n tun7 --listen 1 --peer-name b", "-ntun7 --listen=1 --peer-name=b",
               "--ifname tun7 --listen 1 --peer-n b", "--peer-name b --listen 1 --ifname=tun7");
  const auto line = parse_words(words);
  CHECK(line.faults.empty());
  CHECK(options_of(line).ifname == "tun7");
  CHECK(options_of(line).peer_name == "b");
}

TEST_CASE("without options a link has the documented defaults") {
  const auto options = options_of(parse_words("--peer b --peer-name b"));
  CHECK(options.ifname == "rv%d");
  CHECK(options.peers.front().port == 7754);
  CHECK(options.certificate == "/etc/routevpn/cert.pem");
  CHECK(options.key == "/etc/routevpn/key.pem");
  CHECK(options.ca == "/etc/routevpn/ca.pem");
  CHECK(options.keepalive == milliseconds(1000));
  CHECK(options.dead_after == milliseconds(3500));
  CHECK(options.up_delay == milliseconds(0));
  CHECK(options.rekey == std::chrono::hours(1));
  CHECK(options.run_dir == "/run/routevpn");
  CHECK(options.link.empty());
  CHECK_FALSE(options.mtu);
  CHECK(options.dscp == 0);
}

TEST_CASE("commands are told apart") {
  CHECK(std::holds_alternative<RunLink>(parse_words("--listen 1").command));
  CHECK(std::holds_alternative<CheckLink>(parse_words("check --listen 1").command));
  CHECK(std::holds_alternative<Version>(parse_words("--version").command));
  CHECK(
      parse_words("shw").faults ==
      Lines{
          "unknown command 'shw'; the commands are show, check, pki and plan; did you mean show?"});
  CHECK(parse_words("pki").faults ==
        Lines{"pki needs a command; the commands are ca, csr, sign, revoke and list"});
  CHECK(parse_words("pki foo").faults ==
        Lines{"unknown command 'pki foo'; the commands are ca, csr, sign, revoke and list"});
}

TEST_CASE("help is given wherever it is asked for") {
  const auto text = [](const char* words) {
    const auto line = parse_words(words);
    CHECK(line.faults.empty());
    return std::get<Help>(line.command).text;
  };
  CHECK_THAT(text("--help"), ContainsSubstring("  -a, --address CIDR "));
  CHECK_THAT(text("--mtu 1 --help"), ContainsSubstring("Usage: routevpn --peer"));
  CHECK_THAT(text("check --help"), ContainsSubstring("      --dead-after MS "));
  CHECK_THAT(text("show --help"), ContainsSubstring("--wait up|down"));
  CHECK_THAT(text("pki --help"), ContainsSubstring("  revoke  Revokes"));
  CHECK_THAT(text("pki sign --help"), ContainsSubstring("--force"));
}

TEST_CASE("show is parsed") {
  const auto line = parse_words("show rv0 rv1 --wait up --timeout 2.5 --run-dir /tmp/x --json");
  CHECK(line.faults.empty());
  const auto show = std::get<ShowLinks>(line.command);
  CHECK(show.links == Lines{"rv0", "rv1"});
  CHECK(show.wait == LinkState::up);
  CHECK(show.timeout == milliseconds(2500));
  CHECK(show.run_dir == "/tmp/x");
  CHECK(show.json);

  const auto wrong = GENERATE(values<Wrong>({
      {"show --timeout 5", "--timeout: needs --wait up|down"},
      {"show --wait connecting", "--wait connecting: must be up or down"},
      {"show --wait up --timeout -1", "--timeout -1: must be 0 to 86400 seconds"},
      {"show --wait up --timeout inf", "--timeout inf: must be 0 to 86400 seconds"},
      {"show --watch --json", "--watch: excludes --json"},
      {"show --watch --wait up", "--watch: excludes --wait"},
      {"show ../x", "link '../x': must be a name without '/'"},
      {"show --jsn", "unknown option --jsn; did you mean --json?"},
      {"show --peer b", "unknown option --peer"},
  }));
  CAPTURE(wrong.words);
  CHECK(parse_words(wrong.words).faults == Lines{wrong.fault});
}

TEST_CASE("pki commands are parsed") {
  const auto order = std::get<PkiCommand>(
      parse_words("pki sign --name V1-1 --days 30 --dir /tmp/x --force").command);
  const auto& sign = std::get<pki::SignOrder>(order);
  CHECK(sign.name == "V1-1");
  CHECK(sign.days == 30);
  CHECK(sign.directory == "/tmp/x");
  CHECK(sign.replace);

  const auto wrong = GENERATE(values<Wrong>({
      {"pki csr", "--name NAME is required: the gateway's name"},
      {"pki sign", "--name NAME is required: the gateway's name"},
      {"pki csr --name a/b",
       "--name a/b: must be 1 to 64 letters, digits, '.', '-' or '_', and begin with a letter or "
       "digit"},
      {"pki sign --name ca", "--name ca: is taken: ca.key and ca.cert are the CA's own files"},
      {"pki sign --name 1 --days 0", "--days 0: must be 1 to 36500 days"},
      {"pki ca --days 36501", "--days 36501: must be 1 to 36500 days"},
      {"pki ca --algorithm rsa1024", "--algorithm rsa1024: must be p256, p384, ed25519 or rsa3072"},
      {"pki ca --name ''", "--name : must be 1 to 64 printable ASCII characters"},
      {"pki ca extra", "unexpected argument 'extra'"},
      {"pki sign --name 1 --algorithm p256", "unknown option --algorithm"},
      {"pki revoke --serial xyz",
       "--serial xyz: must be hex digits, as `routevpn pki list` prints them"},
      {"pki revoke --name 1 --serial AB", "--serial: excludes --name"},
      {"pki list --name 1", "unknown option --name"},
  }));
  CAPTURE(wrong.words);
  CHECK(parse_words(wrong.words).faults.front() == wrong.fault);
}
