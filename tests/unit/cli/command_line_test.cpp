#include "routevpn/cli/command_line.hpp"

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

TEST_CASE("the first word names the command") {
  CHECK(std::holds_alternative<RunLink>(parse_words("--listen 1").command));
  CHECK(std::holds_alternative<CheckLink>(parse_words("check --listen 1").command));
  CHECK(std::holds_alternative<PrintText>(parse_words("--version").command));
  CHECK(parse_words("shw").faults ==
        Lines{"unknown command 'shw'; the commands are show, check, "
              "reload, doctor, pki, plan, apply and completion; did you "
              "mean show?"});
  CHECK(
      parse_words("pki").faults ==
      Lines{
          "pki needs a command; the commands are ca, csr, sign, renew, crl, revoke, list and psk"});
  CHECK(parse_words("pki foo").faults == Lines{"unknown command 'pki foo'; the commands are ca, "
                                               "csr, sign, renew, crl, revoke, list and psk"});
}

TEST_CASE("a lone -h is --help, and -h HOST is --host") {
  CHECK(parse_words("-c -h").faults == Lines{"--host needs a value: HOST"});
  CHECK(parse_words("-c -h 192.0.2.1").faults.empty());
}

TEST_CASE("a missing option is not reported beside an unknown one") {
  CHECK(parse_words("pki csr --nam").faults.size() == 1);
  CHECK(parse_words("pki csr --namee V1").faults ==
        Lines{"unknown option --namee; did you mean --name?"});
  CHECK(parse_words("plan a.toml --outt o").faults ==
        Lines{"unknown option --outt; did you mean --out?"});
}

TEST_CASE("--help prints the options of each command") {
  const auto text = [](const char* words) {
    const auto line = parse_words(words);
    CHECK(line.faults.empty());
    return std::get<PrintText>(line.command).text;
  };
  CHECK_THAT(text("--help"), ContainsSubstring("  -a [ --address ] CIDR "));
  CHECK_THAT(text("--mtu 1 --help"), ContainsSubstring("Usage: routevpn --peer"));
  CHECK_THAT(text("check --help"), ContainsSubstring("  --dead-after MS "));
  CHECK_THAT(text("show --help"), ContainsSubstring("--wait up|down"));
  CHECK_THAT(text("pki --help"), ContainsSubstring("  pki revoke  Revokes"));
  CHECK_THAT(text("pki sign --help"), ContainsSubstring("--force"));
  CHECK_THAT(text("pki ca --help"), ContainsSubstring(" (routevpn CA)\n"));
  CHECK_THAT(text("--help"), ContainsSubstring("routevpn --help | --version"));
  CHECK(text("-h") == text("--help"));
  CHECK(text("--version").starts_with("routevpn "));
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
      {"show --brief --json", "--brief: excludes --json and --prometheus"},
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
